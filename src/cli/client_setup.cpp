#include "cli/client_setup.hpp"

#include <array>
#include <fmt/format.h>
#include <utility>

#include "base/bytes.hpp"
#include "base/secret.hpp"
#include "cli/files.hpp"

namespace convoy::cli {

namespace {

std::string registry_address(const UpPlan& plan) {
  const std::string ip = plan.local_ip();
  return (ip.find(':') == std::string::npos ? ip : "[" + ip + "]") + ":" +
         std::to_string(plan.registry_port);
}

std::string hosts_toml(const UpPlan& plan) {
  return fmt::format(R"(server = "https://{}"
ca = "{}/certs/ca.crt"

[host."http://127.0.0.1:{}"]
  capabilities = ["pull", "resolve"]
)",
                     registry_address(plan), plan.data, plan.mirror_port);
}

std::string registries_conf(const UpPlan& plan) {
  return fmt::format(R"([[registry]]
location = "{}"

[[registry.mirror]]
location = "127.0.0.1:{}"
insecure = true
)",
                     plan.image_host(), plan.mirror_port);
}

std::string docker_drop_in(const UpPlan& plan) {
  return fmt::format("[Service]\nEnvironment=HTTPS_PROXY=http://127.0.0.1:{}\n", plan.proxy_port);
}

std::string auth_json(const UpPlan& plan, const Secret& password) {
  const std::string login = std::string(kUpUser) + ":" + std::string(password.reveal());
  const std::string auth = to_base64(as_bytes(login));
  return fmt::format(R"({{"auths":{{"{}":{{"auth":"{}"}},"{}":{{"auth":"{}"}}}}}}
)",
                     registry_address(plan), auth, plan.image_host(), auth);
}

}  // namespace

std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+=,";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Status write_client_files(const UpPlan& plan) {
  auto ca = read_file(plan.data + "/pki/agent/service-ca.pem");
  if (!ca) return std::move(ca).error();
  auto password = read_file(plan.data + "/password");
  if (!password) return std::move(password).error();
  const Secret secret(std::move(password).value());
  const std::string containerd = plan.data + "/clients/containerd/" + plan.image_host();
  const std::string podman = plan.data + "/clients/podman";
  const std::string docker = plan.data + "/clients/docker";
  for (const std::string& folder : {plan.data + "/certs", containerd, podman, docker}) {
    if (Status s = make_folder(folder); !s) return s;
  }
  struct File {
    std::string path;
    std::string text;
    unsigned mode;
  };
  const std::array<File, 5> files = {{
      {plan.data + "/certs/ca.crt", *ca, 0644},
      {plan.data + "/auth.json", auth_json(plan, secret), 0600},
      {containerd + "/hosts.toml", hosts_toml(plan), 0644},
      {podman + "/registries.conf", registries_conf(plan), 0644},
      {docker + "/http-proxy.conf", docker_drop_in(plan), 0644},
  }};
  for (const File& file : files) {
    if (Status s = write_file(file.path, file.text, file.mode); !s) return s;
  }
  return {};
}

Status write_docker_trust(const UpPlan& plan) {
  auto services = read_file(plan.data + "/pki/agent/service-ca.pem");
  if (!services) return std::move(services).error();
  auto proxy = read_file(plan.data + "/agent/proxy-ca.pem");
  if (!proxy) return std::move(proxy).error();
  return write_file(plan.data + "/clients/docker/ca.crt", *proxy + *services, 0644);
}

std::string client_commands(const UpPlan& plan, const std::string& mirror) {
  return fmt::format(
      R"(Push, straight to the registry (skopeo)
  skopeo copy --dest-cert-dir {data}/certs --dest-authfile {data}/auth.json \
    docker-archive:my.tar docker://{registry}/app:1

Pull through the agent (skopeo)
  skopeo copy --src-tls-verify=false docker://{mirror}/app:1 oci:app:1

podman
  CONTAINERS_REGISTRIES_CONF={data}/clients/podman/registries.conf \
    podman pull {host}/app:1

containerd (with config_path = "/etc/containerd/certs.d" for Kubernetes)
  sudo mkdir -p /etc/containerd/certs.d
  sudo cp -r {data}/clients/containerd/. /etc/containerd/certs.d/
  sudo ctr images pull --hosts-dir /etc/containerd/certs.d {host}/app:1

Docker, push and pull (ca.crt is a new one after each start)
  sudo mkdir -p /etc/docker/certs.d/{host} /etc/systemd/system/docker.service.d
  sudo cp {data}/clients/docker/ca.crt /etc/docker/certs.d/{host}/ca.crt
  sudo cp {data}/clients/docker/http-proxy.conf /etc/systemd/system/docker.service.d/convoy.conf
  sudo systemctl daemon-reload && sudo systemctl restart docker
  docker login --username {user} --password-stdin {host} < {data}/password
  docker pull {host}/app:1

Where did the bytes come from?
  convoy status{ops}
)",
      fmt::arg("ops", plan.ops_port == kDefaultOpsPort
                          ? std::string()
                          : " --ops http://127.0.0.1:" + std::to_string(plan.ops_port)),
      fmt::arg("data", shell_word(plan.data)), fmt::arg("registry", registry_address(plan)),
      fmt::arg("mirror", mirror), fmt::arg("host", plan.image_host()), fmt::arg("user", kUpUser));
}

}  // namespace convoy::cli

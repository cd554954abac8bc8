#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "commands/commands.hpp"
#include "config/quantity.hpp"
#include "demo/demo.hpp"

namespace convoy::commands {

namespace {

constexpr const char* kGroup = "Try it";

void add_up(CLI::App& app, int& status) {
  CLI::App* up =
      app.add_subcommand("up", "Registry, tracker and agent on this machine, ready to use");
  up->group(kGroup);
  auto args = std::make_shared<UpArgs>();
  up->add_option("--data", args->data,
                 "Keys, images and logs; used again next time (default: "
                 "~/.local/share/convoy)")
      ->type_name("DIR");
  up->add_option("--listen-ip", args->listen_ip, "Where registry, tracker and peers listen")
      ->capture_default_str()
      ->type_name("IP");
  up->add_option("--host", args->host, "The registry's name in images; it need not resolve")
      ->capture_default_str();
  const auto port = [&](const char* name, std::uint16_t& value, const char* what) {
    up->add_option(name, value, what)->capture_default_str()->type_name("PORT")->group("Ports");
  };
  port("--registry-port", args->registry_port, "Registry, HTTPS");
  port("--tracker-port", args->tracker_port, "Tracker, HTTPS");
  port("--mirror-port", args->mirror_port, "Agent: mirror");
  port("--proxy-port", args->proxy_port, "Agent: proxy");
  port("--peer-port", args->agent_peer_port, "Agent: peers");
  port("--origin-port", args->origin_peer_port, "Registry: peers");
  port("--ops-port", args->ops_port, "Health, metrics, status");
  up->add_option("--ready-file", args->ready_file, "Write the bound addresses to FILE, as JSON")
      ->type_name("FILE");
  up->footer(
      "The first start makes keys and a user in DIR; when all is up it prints the commands for\n"
      "skopeo, Docker, containerd and podman.\n\nExample:\n  convoy up\n"
      "  convoy up --data /tmp/convoy --registry-port 15000");
  up->callback([args, &status] { status = run_up(*args); });
}

struct DemoText {
  std::string size = "256MiB";
  std::string uplink = "50MB/s";
  std::string image;
};

std::optional<std::string> read_demo(const DemoText& text, DemoOptions& out) {
  const auto size = config::parse_size(text.size);
  if (!size || *size == 0) return "--size is a size like 256MiB";
  const auto uplink = config::parse_rate(text.uplink);
  if (!uplink) return "--uplink is a rate like 50MB/s, or unlimited";
  out.size = *size;
  out.uplink = *uplink;
  if (text.image.empty()) return std::nullopt;
  if (!text.image.starts_with("oci:")) return "--image takes oci:DIR";
  out.image = text.image.substr(4);
  return std::nullopt;
}

void add_demo(CLI::App& app, int& status) {
  CLI::App* demo =
      app.add_subcommand("demo", "Pull one image on many nodes at once and see the cost");
  demo->group(kGroup);
  auto options = std::make_shared<DemoOptions>();
  auto text = std::make_shared<DemoText>();
  demo->add_option("--nodes", options->nodes, "Nodes that pull at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  demo->add_option("--size", text->size, "Size of the image made for it")
      ->capture_default_str()
      ->type_name("SIZE");
  demo->add_option("--image", text->image, "Use this OCI layout instead")->type_name("oci:DIR");
  demo->add_option("--uplink", text->uplink, "The registry's uplink")
      ->capture_default_str()
      ->type_name("RATE");
  demo->add_flag("--json", options->json, "The result as JSON");
  demo->add_option("--keep", options->keep, "Work in DIR and leave it behind")->type_name("DIR");
  demo->footer("Example:\n  convoy demo\n  convoy demo --nodes 16 --size 1GiB --uplink 100MB/s");
  demo->callback([options, text, &status] {
    if (const auto misuse = read_demo(*text, *options)) {
      std::fprintf(stderr, "convoy demo: %s\n", misuse->c_str());
      status = kUsage;
      return;
    }
    status = run_demo(*options);
  });
}

}  // namespace

void add_try_commands(CLI::App& app, int& status) {
  add_up(app, status);
  add_demo(app, status);
}

}  // namespace convoy::commands

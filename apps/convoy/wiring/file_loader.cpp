#include "wiring/file_loader.hpp"

#include <cstdlib>
#include <sys/stat.h>
#include <utility>

#include "cli/files.hpp"
#include "security/ca/pem_identity.hpp"

namespace convoy::wiring {

namespace {

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

std::string FileLoader::path(const config::Path& path) const {
  return path.empty() ? "" : cli::resolve(folder_, path.text);
}

void FileLoader::fault(std::string key, std::string problem, std::string hint) {
  faults_->push_back({0, std::move(key), std::move(problem), std::move(hint)});
}

std::string FileLoader::tls_roots(const config::Path& file, const std::string& key) {
  if (file.empty()) return {};
  auto text = cli::read_file(path(file));
  if (!text) {
    fault(key, "cannot be read: " + text.error().detail(), "");
    return {};
  }
  if (text->find("-----BEGIN CERTIFICATE-----") != std::string::npos)
    return std::move(text).value();
  fault(key, "holds no certificate: " + path(file), "Needed are CA certificates, PEM.");
  return {};
}

std::string FileLoader::certificates(const config::Path& file, const std::string& key) {
  if (file.empty()) return {};
  const std::string where = path(file);
  auto text = cli::read_file(where);
  if (!text) {
    fault(key, "cannot be read: " + text.error().detail(),
          "convoy pki init makes the keys of a cluster.");
    return {};
  }
  if (const auto chain = crypto::Certificate::chain_from_pem(*text); !chain) {
    fault(key, "holds no certificates that can be used: " + where,
          "Needed are PEM certificates with P-256 keys; look at it with convoy pki show.");
    return {};
  }
  return std::move(text).value();
}

std::vector<crypto::Certificate> FileLoader::roots(const config::Path& file,
                                                   const std::string& key) {
  const std::string pem = certificates(file, key);
  if (pem.empty()) return {};
  auto chain = crypto::Certificate::chain_from_pem(pem);
  return chain ? std::move(chain).value() : std::vector<crypto::Certificate>();
}

bool FileLoader::private_enough(const std::string& file, const std::string& key) {
  struct stat info{};
  if (::stat(file.c_str(), &info) != 0 || (info.st_mode & S_IROTH) == 0 || !S_ISREG(info.st_mode)) {
    return true;
  }
  fault(key, "can be read by everybody on this machine: " + file, "chmod 600 " + file);
  return false;
}

Secret FileLoader::private_text(const config::Path& file, const std::string& key) {
  if (file.empty()) return {};
  const std::string where = path(file);
  auto text = cli::read_file(where);
  if (!text) {
    fault(key, "cannot be read: " + text.error().detail(), "");
    return {};
  }
  Secret out(std::move(text).value());
  return private_enough(where, key) ? out : Secret();
}

Secret FileLoader::line_of(const std::string& file, const std::string& key) {
  constexpr std::size_t kLongest = 4096;
  auto text = cli::read_file(file, kLongest);
  if (!text) {
    fault(key, "cannot be read: " + text.error().detail(), "Put the secret into it, mode 0600.");
    return {};
  }
  Secret out(without_line_end(std::move(text).value()));
  if (!private_enough(file, key)) return {};
  if (out.empty()) fault(key, "is empty: " + file, "Put the secret into it, on one line.");
  if (out.reveal().find('\n') != std::string_view::npos) {
    fault(key, "has more than one line: " + file, "Put the secret into it, on one line.");
  }
  return out;
}

Secret FileLoader::secret(const config::SecretSource& source, const std::string& key) {
  switch (source.kind) {
    case config::SecretSource::Kind::none:
      return {};
    case config::SecretSource::Kind::file:
      return line_of(cli::resolve(folder_, source.where), key);
    case config::SecretSource::Kind::environment:
      break;
  }
  const char* value = std::getenv(source.where.c_str());
  if (value != nullptr && *value != '\0') return Secret(without_line_end(value));
  fault(key, "names the environment variable " + source.where + ", which is not set", "");
  return {};
}

Secret FileLoader::secret_if_there(const config::SecretSource& source, const std::string& key) {
  const bool file = source.kind == config::SecretSource::Kind::file;
  if (file && !cli::exists(cli::resolve(folder_, source.where))) return {};
  if (!file && std::getenv(source.where.c_str()) == nullptr) return {};
  return secret(source, key);
}

std::optional<crypto::Signer> FileLoader::signer(const config::KeyPairConfig& pair,
                                                 const std::string& table) {
  const std::string chain = certificates(pair.cert_file, table + ".cert_file");
  const Secret key = private_text(pair.key_file, table + ".key_file");
  if (chain.empty() || key.empty()) return std::nullopt;
  auto signer = security::load_signer(chain, key);
  if (signer) return std::move(signer).value();
  fault(table, "does not fit together: " + signer.error().detail(),
        "cert_file and key_file must be of one pair, the leaf's certificate first.");
  return std::nullopt;
}

net::TlsIdentity FileLoader::identity(const config::KeyPairConfig& pair, const std::string& table) {
  net::TlsIdentity out;
  if (pair.cert_file.empty()) return out;
  // A server certificate may be the operator's, with a key of any kind: OpenSSL checks it.
  const std::string where = path(pair.cert_file);
  auto chain = cli::read_file(where);
  if (!chain) {
    fault(table + ".cert_file", "cannot be read: " + chain.error().detail(), "");
  } else {
    out.chain_pem = std::move(chain).value();
  }
  out.key_pem = private_text(pair.key_file, table + ".key_file");
  if (out.chain_pem.empty() || out.key_pem.empty()) return out;
  net::TlsServerOptions probe;
  probe.identity = out;
  if (auto context = net::TlsServerContext::make(std::move(probe)); !context) {
    fault(table, "does not fit together: " + context.error().text(),
          "cert_file and key_file must be of one pair, the leaf's certificate first.");
  }
  return out;
}

net::Endpoint endpoint(const config::Address& address) { return {address.ip, address.port}; }

std::chrono::seconds seconds_of(std::chrono::milliseconds value) {
  return std::chrono::duration_cast<std::chrono::seconds>(value);
}

}  // namespace convoy::wiring

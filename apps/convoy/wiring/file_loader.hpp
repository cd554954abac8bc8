#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "config/common_config.hpp"
#include "crypto/certificate.hpp"
#include "crypto/jws.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"

namespace convoy::wiring {

/// Reads what a configuration names. Each trouble becomes a fault with the key and the file, so
/// that all of them are seen at once; the value is then empty and must not be used.
class FileLoader {
 public:
  /// Relative paths count from `folder`.
  FileLoader(std::string folder, config::Faults& faults)
      : folder_(std::move(folder)), faults_(&faults) {}

  std::string path(const config::Path&) const;
  /// Trust anchors for TLS, of any kind of key; "" when no file is named.
  std::string tls_roots(const config::Path&, const std::string& key);
  /// Certificates of Convoy's own kind (P-256); "" when no file is named.
  std::string certificates(const config::Path&, const std::string& key);
  std::vector<crypto::Certificate> roots(const config::Path&, const std::string& key);
  /// A private key or users file: refused when everybody on the machine may read it.
  Secret private_text(const config::Path&, const std::string& key);
  /// One line from a file or the environment, without its line end; empty when none is named.
  Secret secret(const config::SecretSource&, const std::string& key);
  /// As secret(), but a file that does not exist is no fault: it is only needed once.
  Secret secret_if_there(const config::SecretSource&, const std::string& key);

  /// Certificate and key, which must belong together. `table` is their table's path.
  std::optional<crypto::Signer> signer(const config::KeyPairConfig&, const std::string& table);
  net::TlsIdentity identity(const config::KeyPairConfig&, const std::string& table);

  void fault(std::string key, std::string problem, std::string hint);

 private:
  Secret line_of(const std::string& file, const std::string& key);
  bool private_enough(const std::string& file, const std::string& key);

  std::string folder_;
  config::Faults* faults_;
};

net::Endpoint endpoint(const config::Address&);
std::chrono::seconds seconds_of(std::chrono::milliseconds);

}  // namespace convoy::wiring

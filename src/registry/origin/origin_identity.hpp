#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "clients/tracker/tracker_client.hpp"
#include "crypto/certificate.hpp"
#include "crypto/key.hpp"
#include "net/tls.hpp"
#include "storage/blob/posix_file.hpp"

namespace convoy::registry {

/// What an enrolment must say to be believed.
struct OriginExpectation {
  std::string cluster;
  std::string trust_domain;
  std::vector<crypto::Certificate> roots;
};

/// The origin's key and certificate in its state directory: key.pem (made here, 0600, it never
/// leaves), chain.pem, root.pem.
class OriginIdentity {
 public:
  /// Opens the directory, for each use anew: it may be another one by then.
  using Directory = std::function<Result<storage::Fd>()>;

  /// Reads what is there, makes the key when it is not. Errors "store_open", "key_invalid".
  static Result<OriginIdentity> open(Directory, OriginExpectation);

  const crypto::PrivateKey& key() const { return key_; }
  std::string csr(const std::string& name) const { return crypto::make_csr(key_, name); }
  /// Whether there is a certificate that is good now.
  bool valid(UnixTime now) const;
  /// When it is due for renewal; only after valid().
  UnixTime renew_at() const;
  const crypto::Certificate& root() const { return *root_; }
  net::TlsIdentity tls() const;

  /// Takes an enrolment over, in memory. Errors (corrupt) "enrolment_invalid": another key, kind or
  /// cluster, or a root that is not configured.
  Status accept(const clients::Enrolment&, UnixTime now);
  /// Writes one that was accepted to the directory, and the key if it is not there. Blocks; may run
  /// beside all else. Error "store_open".
  Status save(const clients::Enrolment&) const;

 private:
  OriginIdentity(Directory directory, OriginExpectation expected, crypto::PrivateKey key)
      : directory_(std::move(directory)), expected_(std::move(expected)), key_(std::move(key)) {}
  Status take(const std::string& chain_pem, const std::string& root_pem, UnixTime now);
  Status save_key(int directory) const;

  Directory directory_;
  OriginExpectation expected_;
  crypto::PrivateKey key_;
  std::string chain_pem_;
  std::vector<crypto::Certificate> chain_;
  std::optional<crypto::Certificate> root_;
};

}  // namespace convoy::registry

#include "registry/origin/origin_identity.hpp"

#include <algorithm>

#include "security/ca/authority.hpp"
#include "security/identity/spiffe.hpp"

namespace convoy::registry {
namespace {

constexpr std::size_t kMaxFile = 64 * 1024;
constexpr const char* kKeyFile = "key.pem";
constexpr const char* kChainFile = "chain.pem";
constexpr const char* kRootFile = "root.pem";

Error bad(std::string detail) { return corrupt("enrolment_invalid", std::move(detail)); }

std::string read_text(int directory, const char* name) {
  auto bytes = storage::read_whole(directory, name, kMaxFile, "store_open");
  return bytes ? std::string(as_text(*bytes)) : std::string();
}

Status write_text(int directory, const std::string& name, std::string_view text) {
  auto done = storage::write_durably(directory, name + ".tmp", directory, name, as_bytes(text),
                                     "store_open");
  if (done) done = storage::sync_fd(directory, "store_open");
  return done;
}

}  // namespace

Result<OriginIdentity> OriginIdentity::open(Directory directory, OriginExpectation expected) {
  const auto opened = directory();
  if (!opened) return opened.error();
  const int dir = opened->get();
  std::optional<crypto::PrivateKey> key;
  if (storage::exists(dir, kKeyFile)) {
    auto loaded = crypto::PrivateKey::from_pem(Secret(read_text(dir, kKeyFile)));
    if (!loaded) return std::move(loaded).error();
    key = std::move(*loaded);
  } else {
    key = crypto::PrivateKey::generate();
  }
  OriginIdentity out(std::move(directory), std::move(expected), std::move(*key));
  if (auto done = out.save_key(dir); !done) return std::move(done).error();
  // A certificate that does not fit (any more) is as good as none: the origin enrols again.
  const Status taken = out.take(read_text(dir, kChainFile), read_text(dir, kRootFile), UnixTime{});
  if (!taken) out.chain_.clear();
  return out;
}

Status OriginIdentity::take(const std::string& chain_pem, const std::string& root_pem,
                            UnixTime now) {
  auto chain = crypto::Certificate::chain_from_pem(chain_pem);
  if (!chain) return bad("chain");
  auto root = crypto::Certificate::from_pem(root_pem);
  if (!root) return bad("root");
  const bool known =
      std::any_of(expected_.roots.begin(), expected_.roots.end(),
                  [&](const auto& r) { return r.thumbprint() == root->thumbprint(); });
  if (!known) return bad("the root is not one of those configured");
  const auto& leaf = chain->front();
  if (leaf.public_key().spki() != key_.public_key().spki())
    return bad("certificate of another key");
  auto id = security::spiffe_of(leaf);
  if (!id || id->kind != security::NodeKind::origin || id->cluster != expected_.cluster ||
      id->trust_domain != expected_.trust_domain) {
    return bad("not an origin of this cluster");
  }
  if (now != UnixTime{}) {
    const std::vector<crypto::Certificate> above(chain->begin() + 1, chain->end());
    auto trusted = crypto::verify_chain(leaf, above, {*root}, crypto::CertUse::node, now);
    if (!trusted) return bad(trusted.error().code());
  }
  chain_pem_ = chain_pem;
  chain_ = std::move(*chain);
  root_ = std::move(*root);
  return {};
}

bool OriginIdentity::valid(UnixTime now) const {
  return !chain_.empty() && now < chain_.front().not_after();
}

UnixTime OriginIdentity::renew_at() const { return security::renew_at(chain_.front()); }

net::TlsIdentity OriginIdentity::tls() const { return {chain_pem_, key_.to_pem()}; }

Status OriginIdentity::accept(const clients::Enrolment& enrolment, UnixTime now) {
  return take(enrolment.chain_pem, enrolment.root_pem, now);
}

Status OriginIdentity::save_key(int directory) const {
  if (storage::exists(directory, kKeyFile)) return {};
  const Secret pem = key_.to_pem();
  return write_text(directory, kKeyFile, pem.reveal());
}

Status OriginIdentity::save(const clients::Enrolment& enrolment) const {
  const auto directory = directory_();
  if (!directory) return directory.error();
  auto done = save_key(directory->get());
  if (done) done = write_text(directory->get(), kRootFile, enrolment.root_pem);
  if (done) done = write_text(directory->get(), kChainFile, enrolment.chain_pem);
  return done;
}

}  // namespace convoy::registry

#include "tracker/authority/enrolment.hpp"

#include <algorithm>

#include "base/address_key.hpp"
#include "crypto/hash.hpp"

namespace convoy::tracker {
namespace {

using security::JoinTokenRecord;

constexpr Duration kPatience = std::chrono::seconds(10);

/// What enrolments are decided by, on a worker: both are files.
struct Books {
  security::JoinTokenStore& tokens;
  security::RevokedNodes& revoked;
};

Status check_not_revoked(security::RevokedNodes& revoked, const security::SpiffeId& id) {
  auto names = revoked.list();
  if (!names) return std::move(names).error();
  if (security::is_revoked(*names, id)) return denied("node_revoked", id.str());
  return {};
}

/// The identity is fixed here, and the token is used up.
Result<Enrolled> redeem(Books books, const EnrolCall& call, const Hash256& key,
                        const std::string& trust_domain, const std::string& cluster, UnixTime now) {
  security::JoinTokenStore& store = books.tokens;
  auto record = security::find_join_token(store, call.token, key, now);
  if (!record) return std::move(record).error();
  const std::string& name = call.name.empty() ? record->name : call.name;
  auto id = security::SpiffeId::make(trust_domain, cluster, record->kind, name);
  if (!id) return std::move(id).error();
  if (auto good = check_not_revoked(books.revoked, *id); !good) return std::move(good).error();
  if (record->name.empty() && record->used_by.empty()) {
    auto all = store.list();
    if (!all) return std::move(all).error();
    const std::string text = id->str();
    const bool taken = std::any_of(all->begin(), all->end(), [&](const JoinTokenRecord& other) {
      return other.used_by == text || (other.kind == record->kind && other.name == name);
    });
    if (taken) return conflict("node_name_taken", text);
  }
  auto used = security::redeem_join_token(store, call.token, *id, key, now);
  if (!used) return std::move(used).error();
  return Enrolled{std::move(*id), std::move(used->zone), {}};
}

}  // namespace

net::Task<Result<Enrolled>> EnrolmentOffice::enrol(EnrolCall call, std::string remote_ip) {
  const std::string address = address_key(remote_ip);
  const bool free = co_await asking_.wait(address, kPatience);
  if (!free || guard_.wait_for(remote_ip, remote_ip, clock_.steady())) {
    co_return exhausted("enrol_slowed", remote_ip);
  }
  const net::Turn turn(asking_, address);
  auto enrolled = co_await admit(std::move(call));
  const bool refused = !enrolled && enrolled.error().kind() == ErrorClass::unauthorized;
  if (refused && guard_.failed(remote_ip, remote_ip, clock_.steady())) alert_.raise("", remote_ip);
  co_return std::move(enrolled);
}

net::Task<Result<Enrolled>> EnrolmentOffice::admit(EnrolCall call) {
  auto key = crypto::csr_public_key(call.csr_pem);
  if (!key) co_return std::move(key).error();
  if (auto good = authority_.in_force(); !good) co_return std::move(good).error();
  const auto shared = std::make_shared<EnrolCall>(std::move(call));
  const Hash256 key_hash = crypto::sha256(key->spki());
  const UnixTime now = clock_.wall();
  auto job = [this, shared, key_hash, now] {
    return redeem({*tokens_, *revoked_}, *shared, key_hash, authority_.trust_domain(),
                  authority_.cluster(), now);
  };
  auto redeemed = co_await pool_.run(std::move(job));
  if (!redeemed) co_return std::move(redeemed).error();
  auto issued = authority_.issue_node(redeemed->id, *key, lifetime_);
  if (!issued) co_return std::move(issued).error();
  redeemed->chain_pem = std::move(issued->chain_pem);
  co_return std::move(redeemed);
}

Result<Enrolled> EnrolmentOffice::renew(const Caller& caller, const std::string& csr_pem) {
  auto key = crypto::csr_public_key(csr_pem);
  if (!key) return std::move(key).error();
  auto issued = authority_.issue_node(caller.id, *key, lifetime_);
  if (!issued) return std::move(issued).error();
  return Enrolled{caller.id, {}, std::move(issued->chain_pem)};
}

}  // namespace convoy::tracker

#include "demo/intruders.hpp"

#include "crypto/certificate.hpp"
#include "demo/liar.hpp"
#include "demo/raw_peer.hpp"
#include "demo/run_task.hpp"
#include "net/http_client.hpp"
#include "security/token/ticket.hpp"

namespace convoy::demo {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kAuditPatience = std::chrono::seconds(3);
const std::vector<std::string> kPeerRefusals{"peer.refuse"};

/// The cast, and what more than one of them needs.
class Play {
 public:
  Play(const Ground& ground, const Clock& clock, Random& random)
      : ground_(ground), clock_(clock), random_(random), watch_(ground.audit_files) {}

  Result<std::vector<IntruderOutcome>> run(const std::function<void(const std::string&)>& tell);

 private:
  Status prepare();
  Result<Member> enrol_as(const std::string& name);
  Result<clients::TicketReply> ticket_for(const Member&, const oci::Digest&);
  Result<clients::TicketReply> ticket_to_lie(std::uint16_t port);
  Approach plain_approach() const;
  Approach with(std::optional<net::TlsIdentity>, std::string ticket) const;
  IntruderOutcome knock(const std::string& name, Approach);

  net::TlsIdentity foreign_identity();
  Result<net::TlsIdentity> expired_identity();
  Result<std::string> expired_ticket(const Member&);
  IntruderOutcome without_permission();
  Result<IntruderOutcome> lie();
  IntruderOutcome judged(std::string name, std::uint64_t payload,
                         const std::vector<std::string>& actions);

  const Ground& ground_;
  const Clock& clock_;
  Random& random_;
  AuditWatch watch_;
  Secret allowed_;  ///< an Authorization value that may pull
  Member first_, second_;
  bt::InfoHash info_hash_{};
};

Result<Member> Play::enrol_as(const std::string& name) {
  return run_task([&](net::Executor e) { return enrol(e, ground_.site, name, clock_, random_); });
}

Result<clients::TicketReply> Play::ticket_for(const Member& member, const oci::Digest& digest) {
  return run_task([&](net::Executor e) {
    return ask_ticket(e, ground_.site, member, ground_.repository, digest, allowed_, 1, clock_);
  });
}

Result<clients::TicketReply> Play::ticket_to_lie(std::uint16_t port) {
  auto allowed = run_task([&](net::Executor e) {
    return log_in(e, ground_.site, ground_.second_repository, ground_.user, clock_);
  });
  if (!allowed) return std::move(allowed).error();
  return run_task([&](net::Executor e) {
    return ask_ticket(e, ground_.site, first_, ground_.second_repository, ground_.second_layer,
                      *allowed, port, clock_);
  });
}

Status Play::prepare() {
  auto allowed = run_task([&](net::Executor e) {
    return log_in(e, ground_.site, ground_.repository, ground_.user, clock_);
  });
  if (!allowed) return std::move(allowed).error();
  allowed_ = *allowed;
  for (auto [member, name] : {std::pair{&first_, "intruder-1"}, {&second_, "intruder-2"}}) {
    auto enrolled = enrol_as(name);
    if (!enrolled) return std::move(enrolled).error();
    *member = std::move(*enrolled);
  }
  // The blob's info-hash is no secret: whoever may ask for tickets knows it.
  auto reply = ticket_for(second_, ground_.layer.digest);
  if (!reply) return std::move(reply).error();
  const auto hash = hash256_from_hex(reply->info_hash);
  if (!hash) return internal_error("info_hash_invalid");
  info_hash_ = *hash;
  return {};
}

Approach Play::plain_approach() const {
  Approach a;
  a.target = ground_.peer;
  a.roots_pem = first_.root_pem;
  a.info_hash = info_hash_;
  return a;
}

Approach Play::with(std::optional<net::TlsIdentity> identity, std::string ticket) const {
  Approach a = plain_approach();
  a.identity = std::move(identity);
  a.ticket = std::move(ticket);
  return a;
}

IntruderOutcome Play::judged(std::string name, std::uint64_t payload,
                             const std::vector<std::string>& actions) {
  IntruderOutcome out;
  out.name = std::move(name);
  out.payload_bytes = payload;
  if (const auto refusal = watch_.wait(actions, kAuditPatience)) {
    out.refused_by = refusal->role;
    out.audit_line = refusal->action + " " + refusal->reason;
  }
  return out;
}

IntruderOutcome Play::knock(const std::string& name, Approach a) {
  watch_.mark();
  const auto got = run_task([&](net::Executor e) { return approach(e, a); });
  return judged(name, got.payload_bytes, kPeerRefusals);
}

net::TlsIdentity Play::foreign_identity() {
  // Same names, other cluster: only the key of the CA differs.
  auto pki =
      security::create_cluster_pki(ground_.trust_domain, ground_.cluster, clock_.wall(), random_);
  if (!pki) return {};
  auto authority = security::ClusterAuthority::make(pki->issuing.chain_pem, pki->issuing.key_pem,
                                                    pki->root.chain_pem, ground_.trust_domain,
                                                    ground_.cluster, clock_, random_);
  const auto key = crypto::PrivateKey::generate();
  const security::SpiffeId id{ground_.trust_domain, ground_.cluster, security::NodeKind::node,
                              "node-1"};
  auto issued = authority->issue_node(id, key.public_key());
  return {issued->chain_pem, key.to_pem()};
}

Result<net::TlsIdentity> Play::expired_identity() {
  auto issuer = security::load_signer(ground_.issuing_ca);
  if (!issuer) return std::move(issuer).error();
  const auto key = crypto::PrivateKey::generate();
  crypto::CertSpec spec;
  spec.uris = {
      security::SpiffeId{ground_.trust_domain, ground_.cluster, security::NodeKind::node, "node-1"}
          .str()};
  spec.use = crypto::CertUse::node;
  spec.not_before = clock_.wall() - std::chrono::hours(2);
  spec.not_after = clock_.wall() - std::chrono::hours(1);
  const auto& ca = issuer->chain.front();
  const auto leaf = crypto::issue(spec, key.public_key(), ca, issuer->key, random_);
  return net::TlsIdentity{leaf.pem() + ca.pem(), key.to_pem()};
}

Result<std::string> Play::expired_ticket(const Member& member) {
  auto signer = security::load_signer(ground_.ticket_signer);
  auto chain = crypto::Certificate::chain_from_pem(member.identity.chain_pem);
  if (!signer) return std::move(signer).error();
  if (!chain) return std::move(chain).error();
  auto id = security::spiffe_of(chain->front());
  if (!id) return std::move(id).error();
  struct Yesterday final : Clock {
    explicit Yesterday(const Clock& c) : now(c) {}
    UnixTime wall() const override { return now.wall() - std::chrono::hours(1); }
    SteadyTime steady() const override { return now.steady(); }
    const Clock& now;
  } const past(clock_);
  const security::SpiffeId tracker{ground_.trust_domain, ground_.cluster,
                                   security::NodeKind::tracker, "tracker-1"};
  const security::TicketIssuer issuer(*signer, tracker, past, random_);
  security::TicketGrant grant{
      *id, chain->front().thumbprint(), ground_.layer.digest, info_hash_, {true, true}};
  return issuer.issue(grant);
}

net::Task<Result<std::uint64_t>> get_bytes(net::Executor executor, http::Url url,
                                           Secret authorization, const Clock& clock) {
  net::HttpClient client(executor, {});
  net::HttpRequest request;
  request.url = std::move(url);
  request.headers.add("Authorization", std::string(authorization.reveal()));
  auto response = co_await client.send(std::move(request), Deadline::in(clock, kPatience));
  if (!response) co_return std::move(response).error();
  // The body of a refusal is an error document, no payload.
  if ((*response)->status() >= 400) co_return std::uint64_t{0};
  std::uint64_t total = 0;
  Bytes chunk(64 * 1024);
  for (;;) {
    auto n = co_await (*response)->read_body(chunk);
    if (!n || *n == 0) co_return total;
    total += *n;
  }
}

IntruderOutcome Play::without_permission() {
  watch_.mark();
  auto token = run_task([&](net::Executor e) {
    return log_in(e, ground_.site, ground_.repository, ground_.stranger, clock_);
  });
  http::Url url = ground_.mirror;
  url.target = "/v2/" + ground_.repository.str() + "/blobs/" + ground_.layer.digest.str();
  std::uint64_t payload = 0;
  if (token) {
    const auto got = run_task([&](net::Executor e) { return get_bytes(e, url, *token, clock_); });
    payload = got.value_or(0);
  }
  return judged("user without pull permission, cached layer", payload,
                {"pull.refuse", "ticket.refuse"});
}

Result<IntruderOutcome> Play::lie() {
  watch_.mark();
  auto liar = Liar::listen(first_);
  if (!liar) return std::move(liar).error();
  auto ticket = ticket_to_lie((*liar)->port());
  if (!ticket) return std::move(ticket).error();
  const auto hash = hash256_from_hex(ticket->info_hash);
  if (!hash) return internal_error("info_hash_invalid");
  (*liar)->serve(ticket->ticket, *hash);
  const bool intact = ground_.pull_second();
  auto out = judged("peer that serves corrupt pieces", (*liar)->payload_received(),
                    {"peer.ban", "peer.corrupt"});
  if (!intact) return corrupt("wrong_bytes", "a pull beside a lying peer did not end well");
  return out;
}

Result<std::vector<IntruderOutcome>> Play::run(
    const std::function<void(const std::string&)>& tell) {
  if (auto ready = prepare(); !ready) return std::move(ready).error();
  auto expired_cert = expired_identity();
  auto own = ticket_for(first_, ground_.layer.digest);
  auto other = ticket_for(first_, ground_.other_blob.digest);
  auto late = expired_ticket(first_);
  for (const Error* e :
       {expired_cert ? nullptr : &expired_cert.error(), own ? nullptr : &own.error(),
        other ? nullptr : &other.error(), late ? nullptr : &late.error()}) {
    if (e != nullptr) return *e;
  }
  std::vector<IntruderOutcome> out;
  const auto knock_as = [&](const std::string& name, Approach a) {
    tell(name);
    out.push_back(knock(name, std::move(a)));
  };
  Approach bare = plain_approach();
  bare.tls = false;
  knock_as("no certificate", with(std::nullopt, own->ticket));
  knock_as("certificate of another cluster", with(foreign_identity(), own->ticket));
  knock_as("expired certificate", with(*expired_cert, own->ticket));
  knock_as("right certificate, no ticket", with(first_.identity, ""));
  knock_as("ticket for another blob", with(first_.identity, other->ticket));
  knock_as("ticket of another node", with(second_.identity, own->ticket));
  knock_as("expired ticket", with(first_.identity, *late));
  knock_as("plain TCP", bare);
  tell("user without permission");
  out.push_back(without_permission());
  tell("lying peer");
  auto lied = lie();
  if (!lied) return std::move(lied).error();
  out.push_back(std::move(*lied));
  return out;
}

}  // namespace

Result<std::vector<IntruderOutcome>> send_intruders(
    const Ground& ground, const Clock& clock, Random& random,
    const std::function<void(const std::string&)>& progress) {
  return Play(ground, clock, random).run(progress);
}

}  // namespace convoy::demo

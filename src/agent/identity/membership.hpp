#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/identity/node_store.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "clients/tracker/tracker_client.hpp"
#include "crypto/certificate.hpp"
#include "net/task.hpp"
#include "net/tls.hpp"
#include "net/worker_pool.hpp"

namespace convoy::agent {

struct MembershipOptions {
  std::string name;
  bt::Zone zone;
  Secret join_token;
  Duration first_retry = std::chrono::seconds(1);  ///< doubles up to a minute
  Duration save_retry = std::chrono::minutes(1);   ///< of writing the identity to disk
};

/// Makes the node a member of the cluster and keeps it one: enrols with the join token at the first
/// start, renews the certificate at half its life, enrols anew if it ran out meanwhile and a token
/// is there. An identity that cannot be written to disk is used all the same, and written as soon
/// as that works. One thread; what is referred to outlives it.
class Membership {
 public:
  /// A client of the tracker that shows this identity, none before enrolment. A new one for each
  /// identity: pooled connections and TLS sessions carry the old certificate on, and tickets are
  /// bound to the one that was shown.
  using MakeTracker = std::function<Result<std::shared_ptr<clients::TrackerClient>>(
      const std::optional<net::TlsIdentity>&)>;
  /// Called with each new identity and a client that shows it.
  using Joined = std::function<void(const clients::Enrolment&, net::TlsIdentity,
                                    std::shared_ptr<clients::TrackerClient>)>;

  Membership(MembershipOptions, NodeStore&, net::WorkerPool&, const Clock&, MakeTracker, Joined,
             Logger);

  /// Runs until cancelled.
  net::Task<void> run();
  /// Nothing when the node is a member with a valid certificate.
  std::optional<std::string> not_ready() const;

 private:
  net::Task<bool> enrol();
  net::Task<bool> renew();
  /// `saved`: it comes from the disk.
  bool adopt(clients::Enrolment, bool saved);
  net::Task<void> save();
  bool expired() const;
  /// How long until something has to be done.
  Duration due_in() const;

  MembershipOptions options_;
  NodeStore& store_;
  net::WorkerPool& pool_;
  const Clock& clock_;
  MakeTracker make_tracker_;
  Joined joined_;
  Logger log_;
  std::optional<NodeIdentity> identity_;
  bool saved_ = true;  ///< the identity in use, if there is one
  std::optional<crypto::Certificate> certificate_;
  std::shared_ptr<clients::TrackerClient> tracker_;  ///< shows the current identity
  std::string trouble_ = "not enrolled yet";
};

}  // namespace convoy::agent

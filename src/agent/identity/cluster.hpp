#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "clients/tracker/tracker_client.hpp"
#include "security/token/metadata_statement.hpp"
#include "swarm/transport/engine.hpp"

namespace convoy::agent {

/// What membership of the cluster gives, as of the last enrolment or renewal. Immutable.
struct ClusterLink {
  clients::Enrolment enrolment;
  std::shared_ptr<clients::TrackerClient> tracker;  ///< shows the node's current certificate
  std::shared_ptr<swarm::Engine> engine;            ///< null when peers cannot be listened for
  std::map<std::string, security::MetadataVerifier> registries;  ///< by host
};
using ClusterLinkPtr = std::shared_ptr<const ClusterLink>;

/// Where the present link stands. One thread.
class Cluster {
 public:
  /// Null until the node is enrolled. Hold the pointer over a suspension, not the Cluster's view.
  ClusterLinkPtr link() const { return link_; }
  void set(ClusterLinkPtr link) { link_ = std::move(link); }

 private:
  ClusterLinkPtr link_;
};

}  // namespace convoy::agent

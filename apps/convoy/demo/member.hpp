#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "clients/registry/registry_client.hpp"
#include "clients/tracker/tracker_client.hpp"
#include "net/tls.hpp"
#include "wire/http/message.hpp"
#include "wire/oci/reference.hpp"

namespace convoy::demo {

/// Where a cluster's services are and whom to trust for their certificates.
struct Site {
  http::Url tracker;
  http::Url registry;
  std::string roots_pem;        ///< of the services' TLS certificates
  std::string registry_host;    ///< as image references name it
  std::string join_token_file;  ///< the tracker's, to make join tokens
};

/// A node that enrolled like any other and then does as it likes.
struct Member {
  net::TlsIdentity identity;
  std::string root_pem;  ///< the cluster's
};

/// Enrols a node of that name with a fresh join token.
net::Task<Result<Member>> enrol(net::Executor, Site, std::string name, const Clock&, Random&);

/// An Authorization value with which `user` may do what the registry grants to them: the token
/// dance that docker does.
net::Task<Result<Secret>> log_in(net::Executor, Site, oci::RepoName,
                                 clients::RegistryCredential user, const Clock&);

/// A ticket of the tracker for this member.
net::Task<Result<clients::TicketReply>> ask_ticket(net::Executor, Site, Member, oci::RepoName,
                                                   oci::Digest, Secret authorization,
                                                   std::uint16_t port, const Clock&);

}  // namespace convoy::demo

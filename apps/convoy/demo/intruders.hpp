#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "clients/registry/registry_client.hpp"
#include "demo/audit_watch.hpp"
#include "demo/image.hpp"
#include "demo/member.hpp"
#include "demo/report.hpp"
#include "net/stream.hpp"
#include "security/ca/authority.hpp"

namespace convoy::demo {

/// The cluster as an attacker finds it after the image went through.
struct Ground {
  Site site;
  oci::RepoName repository;
  ImageBlob layer;                       ///< what is wanted; in the cache of the agent below
  ImageBlob other_blob;                  ///< of the same image
  net::Endpoint peer;                    ///< the agent's door for peers
  http::Url mirror;                      ///< the agent's mirror
  clients::RegistryCredential user;      ///< may pull
  clients::RegistryCredential stranger;  ///< known to the registry, may not pull
  security::PemIdentity issuing_ca,
      ticket_signer;  ///< to make what only a broken clock could bring
  std::string trust_domain, cluster;
  std::vector<std::pair<std::string, std::filesystem::path>> audit_files;

  oci::RepoName second_repository;  ///< of an image that nobody has pulled yet
  oci::Digest second_layer;
  /// Pulls that image through another agent; whether every byte was right.
  std::function<bool()> pull_second;
};

/// Sends every intruder, one after the other. Error when an intruder could not even be set up.
Result<std::vector<IntruderOutcome>> send_intruders(
    const Ground&, const Clock&, Random&, const std::function<void(const std::string&)>& progress);

}  // namespace convoy::demo

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "net/http_server.hpp"
#include "net/worker_pool.hpp"
#include "registry/api/route.hpp"
#include "registry/core/access.hpp"
#include "registry/core/admission.hpp"
#include "registry/core/manifest_service.hpp"
#include "registry/core/metadata_service.hpp"
#include "registry/core/pull_notes.hpp"
#include "registry/core/token_service.hpp"
#include "registry/core/upload_service.hpp"
#include "registry/events/event_hub.hpp"
#include "registry/service.hpp"
#include "security/audit/audit.hpp"
#include "storage/blob/blob_store.hpp"
#include "storage/meta/registry_meta.hpp"

namespace convoy::registry {

/// What handlers work with. Everything outlives the server.
struct Context {
  const RegistryOptions& options;
  const Clock& clock;
  net::WorkerPool& pool;
  storage::BlobStore& blobs;
  storage::RegistryMeta& meta;
  AccessControl& access;
  Admission& admission;
  UploadService& uploads;
  ManifestService& manifests;
  TokenService& tokens;
  MetadataService& metadata;
  PullNotes& pulls;
  EventHub& events;
  security::AuditLog& audit;
  net::Metrics& metrics;
  Logger log;
};

/// One request on its way through the handlers. Lives in the dispatcher's frame.
struct Call {
  net::HttpExchange& exchange;
  http::Target target;
  Route route;
  Caller caller;
  std::string action;  ///< "pull", "push", "delete"; "" when it is none of these
  std::string digest;  ///< what it was about, for the audit; "" when it has none

  const std::string& method() const { return exchange.request().method; }
  bool is_head() const { return method() == "HEAD"; }
  const oci::RepoName& repository() const { return *route.repository; }
};

using Handler = net::Task<Status> (*)(Context&, Call&);

/// Tells the webhooks of a manifest or tag of this request.
void announce(Context&, const Call&, Event);

// Handlers answer by themselves; an Error they return is turned into the answer by the dispatcher,
// unless a head was sent already. One for each route and group of methods.
net::Task<Status> get_ping(Context&, Call&);
net::Task<Status> get_catalog(Context&, Call&);
net::Task<Status> get_tags(Context&, Call&);
net::Task<Status> get_referrers(Context&, Call&);
net::Task<Status> get_blob(Context&, Call&);
net::Task<Status> delete_blob(Context&, Call&);
net::Task<Status> get_manifest(Context&, Call&);
net::Task<Status> put_manifest(Context&, Call&);
net::Task<Status> delete_manifest(Context&, Call&);
net::Task<Status> post_upload(Context&, Call&);
net::Task<Status> get_upload(Context&, Call&);
net::Task<Status> patch_upload(Context&, Call&);
net::Task<Status> put_upload(Context&, Call&);
net::Task<Status> delete_upload(Context&, Call&);
net::Task<Status> get_token(Context&, Call&);
net::Task<Status> post_token(Context&, Call&);
net::Task<Status> get_metadata(Context&, Call&);

}  // namespace convoy::registry

#include "agent/mirror/blob_pull.hpp"

namespace convoy::agent {

PullBytes BlobHandler::Pull::sources() const {
  PullBytes out;
  const bool good = exchange.status() == 200 || exchange.status() == 206;
  const std::uint64_t sent = good ? exchange.bytes_sent() : 0;
  if (!download) {
    if (source != nullptr) out.*source = sent;
    return out;
  }
  // The one that began a download has what came for it, all else stood in the file.
  if (began_download) {
    out = download->received();
    out.cache = 0;
  }
  const std::uint64_t known = out.total();
  if (sent > known) out.cache = sent - known;
  return out;
}

PullRecord BlobHandler::Pull::record(SteadyTime now) const {
  PullRecord out;
  out.request_id = ask.request_id;
  out.registry = ask.upstream->host.str();
  out.repository = ask.repository.str();
  out.digest = ask.digest.str();
  out.size = size;
  out.bytes = sources();
  out.seconds = std::chrono::duration<double>(now - began).count();
  out.outcome = exchange.started() ? "sending" : granted ? "waiting" : "authorizing";
  return out;
}

}  // namespace convoy::agent

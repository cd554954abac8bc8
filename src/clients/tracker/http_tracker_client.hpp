#pragma once

#include <memory>
#include <optional>
#include <string>

#include "clients/tracker/tracker_client.hpp"
#include "net/http_client.hpp"

namespace convoy::clients {

/// `http` carries the trust in the tracker's certificate and, once enrolled, the node's own
/// (replace the TLS context's identity at enrolment and renewal). `base` as "https://host:port".
std::unique_ptr<TrackerClient> make_http_tracker_client(std::shared_ptr<net::HttpClient> http,
                                                        http::Url base);

}  // namespace convoy::clients

#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "wire/http/message.hpp"

namespace convoy::wiring {

struct AdminReply {
  int status = 0;
  std::string body;  ///< JSON
};

/// The administration of a role that runs on this machine, through its operations listener, with
/// the key it left in admin.json of its data directory. Blocks. One thread.
class AdminLink {
 public:
  /// Error "admin_unreachable": there is no such file, or it cannot be read.
  static Result<AdminLink> open(const std::string& data_dir);
  /// `path` is below /convoy/v1/admin/. Errors of connecting only.
  Result<AdminReply> ask(const std::string& method, const std::string& path,
                         const std::string& body) const;

 private:
  AdminLink(http::Url url, Secret token) : url_(std::move(url)), token_(std::move(token)) {}

  http::Url url_;
  Secret token_;
};

}  // namespace convoy::wiring

#pragma once

#include "base/log.hpp"
#include "config/schema.hpp"
#include "config/types.hpp"

namespace convoy::config {

/// What every role's file has: [log], [audit], [ops].
struct CommonConfig {
  struct Log {
    LogLevel level = LogLevel::info;
  };
  struct Audit {
    Path file;  ///< empty: <data_dir or folder of the configuration>/audit.log
  };
  struct Ops {
    Address listen{"127.0.0.1", 0};
    bool allow_non_loopback = false;
  };
  Log log;
  Audit audit;
  Ops ops;
};

/// A certificate chain (leaf first) and its private key.
struct KeyPairConfig {
  Path cert_file;
  Path key_file;
};

/// What the key kernel_tls of a role means.
inline constexpr const char* kKernelTls =
    "Whether the kernel encrypts what is sent over TLS to clients and peers, where its module "
    "`tls` is loaded; else the process does.";

TableOf<CommonConfig::Log> log_table();
TableOf<CommonConfig::Audit> audit_table();
TableOf<CommonConfig::Ops> ops_table(const Address& fallback);
/// Both keys are required when `required`; else both or none.
TableOf<KeyPairConfig> key_pair_table(std::string name, std::string sentence, bool required);

/// Adds the three to the table of a role's whole file.
template <class File>
void add_common(TableOf<File>& file) {
  file.table(&File::log, log_table());
  file.table(&File::audit, audit_table());
  file.table(&File::ops, ops_table(File().ops.listen));
}

}  // namespace convoy::config

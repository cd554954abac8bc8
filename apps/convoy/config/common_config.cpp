#include "config/common_config.hpp"

namespace convoy::config {

TableOf<CommonConfig::Log> log_table() {
  using Log = CommonConfig::Log;
  TableOf<Log> t("log", "The log goes to standard error, one JSON object a line.");
  t.key("level", &Log::level, "What is logged: `debug`, `info`, `warn`, `error` or `off`.");
  return t;
}

TableOf<CommonConfig::Audit> audit_table() {
  using Audit = CommonConfig::Audit;
  TableOf<Audit> t("audit", "Who was granted or refused what, one JSON object a line.");
  t.key("file", &Audit::file,
        "The file audit lines are appended to. Without it: `audit.log` in the data directory, or "
        "beside this file for a role without one.");
  return t;
}

TableOf<CommonConfig::Ops> ops_table(const Address& fallback) {
  using Ops = CommonConfig::Ops;
  TableOf<Ops> t(
      "ops", "Health, readiness and metrics over plain HTTP: `/healthz`, `/readyz`, `/metrics`.");
  t.key("listen", &Ops::listen, "Where; `\"off\"` for nowhere, port 0 for a free one.")
      .fallback(fallback);
  t.key("allow_non_loopback", &Ops::allow_non_loopback,
        "Must be true to listen beyond loopback: whoever reaches the port may read.");
  t.check([](const Ops& ops, Check& check) {
    if (ops.listen.empty() || ops.listen.loopback() || ops.allow_non_loopback) return;
    check.fault("listen", "reaches beyond this machine, without authentication",
                "Use 127.0.0.1, or say allow_non_loopback = true in [ops].");
  });
  return t;
}

TableOf<KeyPairConfig> key_pair_table(std::string name, std::string sentence, bool required) {
  TableOf<KeyPairConfig> t(std::move(name), std::move(sentence));
  auto cert = t.key("cert_file", &KeyPairConfig::cert_file, "Certificate chain, PEM, leaf first.");
  if (required) cert.required();
  auto key = t.key("key_file", &KeyPairConfig::key_file,
                   "Its private key, PEM; not readable by everyone.");
  if (required) key.required();
  t.check([](const KeyPairConfig& pair, Check& check) {
    if (pair.cert_file.empty() == pair.key_file.empty()) return;
    check.fault(pair.cert_file.empty() ? "cert_file" : "key_file", "is missing",
                "A certificate and its key come together.");
  });
  return t;
}

}  // namespace convoy::config

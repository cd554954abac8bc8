#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace convoy::demo {

struct IntruderOutcome {
  std::string name;
  std::uint64_t payload_bytes = 0;
  std::string refused_by;  ///< which part said no
  std::string audit_line;  ///< the reason code it left in an audit file; "" when none was found
  bool audited() const { return !audit_line.empty(); }
  /// Nothing was got, and somebody wrote it down.
  bool held() const { return payload_bytes == 0 && audited(); }
};

struct BytesFrom {
  std::uint64_t peers = 0, origin = 0, cache = 0, registry = 0;
};

struct Report {
  unsigned nodes = 0;
  std::uint64_t image_bytes = 0;
  std::uint64_t uplink = 0;  ///< bytes per second of the registry; 0: not limited
  double direct_seconds = 0;
  double swarm_seconds = 0;
  double origin_egress_copies = 0;  ///< bytes that left the registry in the swarm phase / image
  std::uint64_t blobs_verified = 0, blobs_total = 0;
  BytesFrom bytes_from;
  std::vector<IntruderOutcome> intruders;

  /// What is not as it must be, one sentence each; empty when all is well.
  std::vector<std::string> faults() const;
};

/// The table for a person.
std::string to_table(const Report&);
/// One JSON object with the documented keys.
std::string to_json(const Report&);

}  // namespace convoy::demo

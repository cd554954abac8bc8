#include "demo/report.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace convoy::demo {
namespace json = boost::json;
namespace {

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:5.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string source_rows(const Report& r) {
  const auto& b = r.bytes_from;
  const std::uint64_t all = b.peers + b.origin + b.cache + b.registry;
  std::string out;
  const std::pair<const char*, std::uint64_t> rows[] = {{"other nodes", b.peers},
                                                        {"origin seeder", b.origin},
                                                        {"own cache", b.cache},
                                                        {"registry, directly", b.registry}};
  for (const auto& [name, bytes] : rows) {
    out +=
        fmt::format("    {:<22}{:>10.1f} MiB  {}\n", name, mebibytes(bytes), percent(bytes, all));
  }
  return out;
}

}  // namespace

std::vector<std::string> Report::faults() const {
  std::vector<std::string> out;
  if (blobs_verified != blobs_total) {
    out.push_back(fmt::format("only {} of {} blobs have the digest they must have", blobs_verified,
                              blobs_total));
  }
  if (origin_egress_copies > 1.3) {
    out.push_back(fmt::format("the registry sent {:.2f} copies of the image (at most 1.3)",
                              origin_egress_copies));
  }
  if (nodes > 1 && bytes_from.peers == 0) out.push_back("no byte came from another node");
  for (const auto& i : intruders) {
    if (i.payload_bytes != 0) {
      out.push_back(fmt::format("intruder \"{}\" got {} bytes", i.name, i.payload_bytes));
    }
    if (!i.audited()) out.push_back(fmt::format("intruder \"{}\" left no audit line", i.name));
  }
  return out;
}

std::string to_table(const Report& r) {
  std::string out = "\n";
  out += fmt::format(
      "  {} nodes, image of {:.1f} MiB, registry uplink {}\n\n", r.nodes, mebibytes(r.image_bytes),
      r.uplink == 0 ? std::string("not limited")
                    : fmt::format("{:.0f} MB/s", static_cast<double>(r.uplink) / 1e6));
  out += fmt::format("  {:<24}{:>8.1f} s\n", "straight from registry", r.direct_seconds);
  out += fmt::format("  {:<24}{:>8.1f} s   {:.1f} times as fast\n", "through the swarm",
                     r.swarm_seconds, r.direct_seconds / r.swarm_seconds);
  out += fmt::format("  {:<24}{:>8.2f}     copies of the image (straight: {})\n", "registry sent",
                     r.origin_egress_copies, r.nodes);
  out += fmt::format("  {:<24}{:>8}     of {} blobs on all nodes\n", "digests verified",
                     r.blobs_verified, r.blobs_total);
  out += "  where the bytes came from\n" + source_rows(r);
  out += fmt::format("\n  {:<44}{:>9}  {:<10} {}\n", "intruder", "payload", "refused by",
                     "audit line");
  for (const auto& i : r.intruders) {
    out += fmt::format("  {:<44}{:>7} B  {:<10} {}\n", i.name, i.payload_bytes, i.refused_by,
                       i.audited() ? i.audit_line : "MISSING");
  }
  const auto faults = r.faults();
  out += faults.empty() ? "\n  All as it must be.\n" : "\n  NOT as it must be:\n";
  for (const auto& fault : faults) out += "  - " + fault + "\n";
  return out;
}

std::string to_json(const Report& r) {
  json::array intruders;
  for (const auto& i : r.intruders) {
    intruders.push_back(json::object{{"name", i.name},
                                     {"payload_bytes", i.payload_bytes},
                                     {"refused_by", i.refused_by},
                                     {"audited", i.audited()}});
  }
  const json::object from{{"peers", r.bytes_from.peers},
                          {"origin", r.bytes_from.origin},
                          {"cache", r.bytes_from.cache},
                          {"registry", r.bytes_from.registry}};
  const json::object all{{"nodes", r.nodes},
                         {"image_bytes", r.image_bytes},
                         {"direct_seconds", r.direct_seconds},
                         {"swarm_seconds", r.swarm_seconds},
                         {"origin_egress_copies", r.origin_egress_copies},
                         {"blobs_verified", r.blobs_verified},
                         {"blobs_total", r.blobs_total},
                         {"bytes_from", from},
                         {"intruders", intruders}};
  return json::serialize(all);
}

}  // namespace convoy::demo

#include "wire/bt/announce.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

#include "wire/bt/bencode.hpp"

namespace convoy::bt {
namespace {

constexpr std::uint32_t kMaxWant = 200;
constexpr std::size_t kMaxScrape = 64;
constexpr std::size_t kMaxPeers = 2000;
constexpr std::int64_t kMaxInterval = 24 * 3600;

using Hash160 = std::array<std::uint8_t, 20>;

Error bad(std::string detail) { return invalid("announce_invalid", std::move(detail)); }

/// The value of a parameter that stands there exactly once.
std::optional<std::string_view> once(const http::Target& target, std::string_view key) {
  const auto values = target.query_values(key);
  if (values.size() != 1) return std::nullopt;
  return values.front();
}

template <class T>
std::optional<T> number(std::optional<std::string_view> text) {
  T out{};
  if (!text) return std::nullopt;
  const auto* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, out);
  if (error != std::errc() || stop != end) return std::nullopt;
  return out;
}

bool copy20(std::optional<std::string_view> text, Hash160& out) {
  if (!text || text->size() != out.size()) return false;
  std::copy_n(as_bytes(*text).begin(), out.size(), out.begin());
  return true;
}

std::optional<AnnounceEvent> event_of(std::optional<std::string_view> text) {
  if (!text || text->empty() || *text == "empty") return AnnounceEvent::none;
  if (*text == "started") return AnnounceEvent::started;
  if (*text == "completed") return AnnounceEvent::completed;
  if (*text == "stopped") return AnnounceEvent::stopped;
  return std::nullopt;
}

std::string_view event_name(AnnounceEvent event) {
  switch (event) {
    case AnnounceEvent::started:
      return "started";
    case AnnounceEvent::completed:
      return "completed";
    case AnnounceEvent::stopped:
      return "stopped";
    case AnnounceEvent::none:
      break;
  }
  return "";
}

/// Appends a compact peer to the list of its family; an address that is none is left out.
void append_peer(const PeerEndpoint& peer, std::string& v4, std::string& v6) {
  std::array<char, 16> raw{};
  std::string* out = &v4;
  std::size_t size = 4;
  if (::inet_pton(AF_INET, peer.ip.c_str(), raw.data()) != 1) {
    if (::inet_pton(AF_INET6, peer.ip.c_str(), raw.data()) != 1) return;
    out = &v6;
    size = 16;
  }
  out->append(raw.data(), size);
  out->push_back(static_cast<char>(peer.port >> 8));
  out->push_back(static_cast<char>(peer.port & 0xff));
}

Status read_peers(const Bencode& root, std::string_view key, int family,
                  std::vector<PeerEndpoint>& out) {
  const auto* member = root.find(key);
  if (member == nullptr) return {};
  const auto* text = member->text();
  const std::size_t address = family == AF_INET ? 4 : 16;
  const std::size_t step = address + 2;
  if (text == nullptr || text->size() % step != 0) return bad(std::string(key));
  if (text->size() / step > kMaxPeers - out.size()) return bad("too many peers");
  const auto raw = as_bytes(*text);
  for (std::size_t at = 0; at < raw.size(); at += step) {
    std::array<char, INET6_ADDRSTRLEN> ip{};
    if (::inet_ntop(family, raw.data() + at, ip.data(), ip.size()) == nullptr) return bad("peer");
    const auto port = static_cast<std::uint16_t>(raw[at + address] << 8 | raw[at + address + 1]);
    out.push_back({ip.data(), port});
  }
  return {};
}

/// A count that may be absent.
std::optional<std::uint32_t> read_count(const Bencode& root, std::string_view key) {
  const auto* member = root.find(key);
  if (member == nullptr) return 0;
  const auto* n = member->integer();
  if (n == nullptr || *n < 0 || *n > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*n);
}

Bencode bencode(std::uint32_t n) { return Bencode{std::int64_t{n}}; }

}  // namespace

Result<AnnounceRequest> parse_announce(const http::Target& target) {
  AnnounceRequest out;
  if (!copy20(once(target, "info_hash"), out.info_hash)) return bad("info_hash");
  if (!copy20(once(target, "peer_id"), out.peer_id)) return bad("peer_id");
  const auto port = number<std::uint16_t>(once(target, "port"));
  if (!port || *port == 0) return bad("port");
  const auto uploaded = number<std::uint64_t>(once(target, "uploaded"));
  const auto downloaded = number<std::uint64_t>(once(target, "downloaded"));
  const auto left = number<std::uint64_t>(once(target, "left"));
  if (!uploaded || !downloaded || !left) return bad("uploaded, downloaded or left");
  const auto event = event_of(target.query_value("event"));
  if (!event) return bad("event");
  out.port = *port;
  out.uploaded = *uploaded;
  out.downloaded = *downloaded;
  out.left = *left;
  out.event = *event;
  if (const auto want = target.query_value("numwant")) {
    const auto n = number<std::int64_t>(want);
    if (!n) return bad("numwant");
    // Below zero is how some clients write "as many as you like".
    if (*n >= 0) out.numwant = static_cast<std::uint32_t>(std::min<std::int64_t>(*n, kMaxWant));
  }
  out.compact = target.query_value("compact").value_or("1") != "0";
  return out;
}

std::string to_query(const AnnounceRequest& r) {
  std::string out = "info_hash=" + http::percent_encode(as_text(r.info_hash));
  out += "&peer_id=" + http::percent_encode(as_text(r.peer_id));
  out += "&port=" + std::to_string(r.port);
  out += "&uploaded=" + std::to_string(r.uploaded);
  out += "&downloaded=" + std::to_string(r.downloaded);
  out += "&left=" + std::to_string(r.left);
  out += "&numwant=" + std::to_string(r.numwant);
  out += r.compact ? "&compact=1" : "&compact=0";
  if (r.event != AnnounceEvent::none) out += "&event=" + std::string(event_name(r.event));
  return out;
}

Bytes encode(const AnnounceReply& reply) {
  std::string v4;
  std::string v6;
  for (const auto& peer : reply.peers) append_peer(peer, v4, v6);
  Bencode::Dict root;
  root.emplace("complete", bencode(reply.seeders));
  root.emplace("incomplete", bencode(reply.leechers));
  root.emplace("interval", bencode(reply.interval));
  root.emplace("peers", Bencode{std::move(v4)});
  if (!v6.empty()) root.emplace("peers6", Bencode{std::move(v6)});
  return encode(Bencode{std::move(root)});
}

Result<AnnounceReply> decode_announce_reply(ByteView in) {
  const auto root = decode_bencode(in);
  if (!root) return bad(root.error().detail());
  if (root->dict() == nullptr) return bad("not a dictionary");
  if (const auto* failure = root->find("failure reason")) {
    return denied("announce_refused", failure->text() == nullptr ? "" : *failure->text());
  }
  AnnounceReply out;
  const auto* member = root->find("interval");
  const auto* interval = member == nullptr ? nullptr : member->integer();
  if (interval == nullptr || *interval < 1 || *interval > kMaxInterval) return bad("interval");
  out.interval = static_cast<std::uint32_t>(*interval);
  const auto seeders = read_count(*root, "complete");
  const auto leechers = read_count(*root, "incomplete");
  if (!seeders || !leechers) return bad("complete or incomplete");
  out.seeders = *seeders;
  out.leechers = *leechers;
  if (auto s = read_peers(*root, "peers", AF_INET, out.peers); !s) return std::move(s).error();
  if (auto s = read_peers(*root, "peers6", AF_INET6, out.peers); !s) return std::move(s).error();
  return out;
}

Bytes encode_failure(std::string_view reason) {
  Bencode::Dict root;
  root.emplace("failure reason", Bencode{std::string(reason)});
  return encode(Bencode{std::move(root)});
}

Result<std::vector<Hash160>> parse_scrape(const http::Target& target) {
  const auto values = target.query_values("info_hash");
  // A scrape of everything would list swarms the asker has no ticket for.
  if (values.empty() || values.size() > kMaxScrape) return invalid("scrape_invalid", "count");
  std::vector<Hash160> out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!copy20(values[i], out[i])) return invalid("scrape_invalid", "info_hash");
  }
  return out;
}

Bytes encode_scrape(const std::vector<ScrapeEntry>& entries) {
  Bencode::Dict files;
  for (const auto& entry : entries) {
    Bencode::Dict file;
    file.emplace("complete", bencode(entry.seeders));
    file.emplace("downloaded", bencode(entry.completed));
    file.emplace("incomplete", bencode(entry.leechers));
    files.emplace(as_text(entry.info_hash), Bencode{std::move(file)});
  }
  Bencode::Dict root;
  root.emplace("files", Bencode{std::move(files)});
  return encode(Bencode{std::move(root)});
}

}  // namespace convoy::bt

#include "storage/meta/sqlite_registry_meta.hpp"

namespace convoy::storage {
namespace {

Result<std::vector<RememberedTorrent>> read_torrents(Query& query) {
  std::vector<RememberedTorrent> out;
  for (;;) {
    CONVOY_TRY(row, query.step());
    if (!*row) return out;
    CONVOY_TRY(digest, oci::Digest::parse(query.text(1)));
    const auto root = hash256_from_hex(query.text(4));
    if (!root) return corrupt("database_corrupt", "pieces root");
    out.push_back({query.text(0),
                   {.digest = *digest,
                    .size = static_cast<std::uint64_t>(query.number(2)),
                    .piece_length = static_cast<std::uint32_t>(query.number(3)),
                    .pieces_root = *root}});
  }
}

}  // namespace

Status SqliteRegistryMeta::remember_torrent(const std::string& cluster,
                                            const RememberedTorrent& torrent, UnixTime seen) {
  return pool_->write_lazily([&](Database& db) -> Status {
    const std::string digest = torrent.meta.digest.str();
    const std::string root = to_hex(torrent.meta.pieces_root);
    CONVOY_TRY(query, db.query("INSERT INTO torrents(cluster,short_hash,digest,size,"
                               "piece_length,pieces_root,seen) VALUES(?,?,?,?,?,?,?)"
                               " ON CONFLICT(cluster,short_hash) DO UPDATE SET"
                               " seen=excluded.seen"));
    query->bind(cluster).bind(torrent.short_hex).bind(digest);
    query->bind(static_cast<std::int64_t>(torrent.meta.size));
    query->bind(std::int64_t{torrent.meta.piece_length}).bind(root);
    return query->bind(std::int64_t{seen.time_since_epoch().count()}).run();
  });
}

Result<std::vector<RememberedTorrent>> SqliteRegistryMeta::torrents(const std::string& cluster,
                                                                    std::size_t limit) {
  return pool_->read([&](Database& db) -> Result<std::vector<RememberedTorrent>> {
    CONVOY_TRY(query, db.query("SELECT short_hash,digest,size,piece_length,pieces_root"
                               " FROM torrents WHERE cluster=? ORDER BY seen DESC LIMIT ?"));
    query->bind(cluster).bind(static_cast<std::int64_t>(limit));
    return read_torrents(*query);
  });
}

Status SqliteRegistryMeta::forget_torrent(const std::string& cluster,
                                          const std::string& short_hex) {
  return pool_->write_lazily([&](Database& db) -> Status {
    CONVOY_TRY(query, db.query("DELETE FROM torrents WHERE cluster=? AND short_hash=?"));
    return query->bind(cluster).bind(short_hex).run();
  });
}

}  // namespace convoy::storage

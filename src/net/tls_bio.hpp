#pragma once

#include <cstddef>
#include <openssl/bio.h>

#include "net/socket.hpp"

namespace convoy::net::tls {

/// Internal to net: a BIO between OpenSSL and the socket. It gathers the records of one write and
/// sends them by one system call, at BIO_flush or when 128 KiB are together, in a buffer of the
/// loop's pool that it holds only while something waits in it; and it follows the records that it
/// reads. `socket` outlives it. Null when memory is short.
BIO* socket_bio(Socket& socket);

/// RecordTrack::missing of what a socket_bio has read.
std::size_t missing_of_record(BIO*);

}  // namespace convoy::net::tls

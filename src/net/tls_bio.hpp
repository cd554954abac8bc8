#pragma once

#include <cstddef>
#include <openssl/bio.h>

#include "net/socket.hpp"

namespace convoy::net::tls {

/// Internal to net: a BIO between OpenSSL and the socket. It gathers the records of one write and
/// sends them by one system call, at BIO_flush or when 128 KiB are together, in a buffer of the
/// loop's pool that it holds only while something waits in it; and it follows the records that it
/// reads. OpenSSL goes on within one call for as long as control messages come: what it reads is
/// spent from the socket, and while that is spent() there is nothing to read; after 256 KiB without
/// application data reading fails with EPROTO. `socket` outlives it. Null when memory is short.
BIO* socket_bio(Socket& socket);

/// RecordTrack::missing of what a socket_bio has read.
std::size_t missing_of_record(BIO*);
/// To be called when application data came out of what a socket_bio has read.
void data_came(BIO*);

}  // namespace convoy::net::tls

#pragma once

#include <cstddef>
#include <openssl/ssl.h>

#include "net/socket.hpp"

namespace convoy::net::tls {

/// Internal to net: puts BIOs of ours between OpenSSL and the socket, which outlives the SSL. False
/// when memory is short.
///
/// Writing gathers the records of one write and sends them by one system call, at BIO_flush or when
/// 128 KiB are together, in a buffer of the loop's pool that is held only while something waits in
/// it. Where the kernel has been given the keys to send with (BIO_get_ktls_send) nothing is
/// gathered. Reading follows the records. OpenSSL goes on within one call for as long as control
/// messages come: what it reads is spent from the socket, and while that is spent() there is
/// nothing to read; after 256 KiB without application data reading fails with EPROTO.
bool attach_socket(SSL*, Socket& socket);

/// RecordTrack::missing of what such an SSL has read.
std::size_t missing_of_record(const SSL*);
/// To be called when application data came out of what such an SSL has read.
void data_came(const SSL*);

}  // namespace convoy::net::tls

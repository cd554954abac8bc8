#pragma once

#include <openssl/bio.h>

#include "net/socket.hpp"

namespace convoy::net::tls {

/// Internal to net: a BIO below OpenSSL that gathers the records of one write and sends them by
/// one system call, at BIO_flush or when 128 KiB are together. It holds a buffer of the loop's
/// pool only while something waits in it. `socket` outlives it. Null when memory is short.
BIO* gathering_bio(Socket& socket);

}  // namespace convoy::net::tls

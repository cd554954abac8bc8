#pragma once

namespace convoy::net::tls {

/// Internal to net: whether sockets of this machine can be given TLS (Linux's TCP_ULP "tls"). Makes
/// the kernel load its module where the process may; asked once for each context, since a kernel
/// without it looks for the module each time.
bool kernel_has_tls();

}  // namespace convoy::net::tls

#include "crypto/ossl.hpp"

#include <openssl/pem.h>

namespace convoy::crypto::detail {

std::string take_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "no reason given";
  char text[160];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

bool next_pem(BIO* bio, PemBlock& block, bool& broken) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  ERR_clear_error();
  if (PEM_read_bio(bio, &name, &header, &data, &size) != 1) {
    const unsigned long code = ERR_peek_last_error();
    broken = ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE;
    ERR_clear_error();
    return false;
  }
  const bool plain = header[0] == '\0';
  block.name = name;
  block.data.assign(data, data + size);
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  broken = !plain;
  return plain;
}

}  // namespace convoy::crypto::detail

#include <algorithm>
#include <set>

#include "crypto/certificate.hpp"
#include "crypto/ossl.hpp"
#include "crypto/use.hpp"

namespace convoy::crypto {
namespace {

using detail::must;

constexpr std::size_t kMaxIntermediates = 8;
constexpr int kMaxDepth = 6;
constexpr int kAuthLevel = 2;  // 112 bits: no SHA-1 signature anywhere in the chain

Error wrong_use(std::string detail) {
  return unauthorized("certificate_wrong_use", std::move(detail));
}

/// The extended key usages in dotted form; nothing when the extension is absent.
std::optional<std::set<std::string>> usages(X509* cert) {
  const detail::UsagePtr list(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(cert, NID_ext_key_usage, nullptr, nullptr)));
  if (!list) return std::nullopt;
  std::set<std::string> out;
  for (int i = 0; i < sk_ASN1_OBJECT_num(list.get()); ++i) {
    char text[96];
    const int n = OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(list.get(), i), 1);
    // A longer one comes out cut: kept as no known usage rather than as another one.
    out.insert(n > 0 && n < static_cast<int>(sizeof text) ? std::string(text) : "?");
  }
  return out;
}

Status check_leaf(X509* leaf, CertUse use) {
  const int ca = X509_check_ca(leaf);
  if (use == CertUse::ca) return ca == 1 ? Status() : wrong_use("not a CA");
  if (ca != 0) return wrong_use("a CA where an end entity is wanted");
  if ((X509_get_extension_flags(leaf) & EXFLAG_KUSAGE) == 0 ||
      (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) {
    return wrong_use("key usage lacks digitalSignature");
  }
  const auto has = usages(leaf);
  if (!has) return wrong_use("no extended key usage");
  const auto wanted = detail::usages_of(use);
  std::set<std::string> exact(wanted.begin(), wanted.end());
  // Public CAs put clientAuth beside serverAuth; every use of our own is exact.
  if (use == CertUse::server && has->contains(detail::kClientAuth))
    exact.insert(detail::kClientAuth);
  return *has == exact ? Status() : wrong_use("another extended key usage");
}

/// A CA that is limited to some usages can only issue for these.
Status check_issuers(const STACK_OF(X509) * chain, CertUse use) {
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    const auto has = usages(sk_X509_value(chain, i));
    if (!has) continue;
    for (const char* oid : detail::usages_of(use)) {
      if (!has->contains(oid)) return wrong_use("an issuer is limited to other usages");
    }
  }
  return {};
}

Validity validity_of(const STACK_OF(X509) * chain) {
  Validity out{UnixTime::min(), UnixTime::max()};
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* const one = sk_X509_value(chain, i);
    must(X509_up_ref(one) == 1);
    const Certificate cert(std::shared_ptr<x509_st>(one, X509_free));
    out.from = std::max(out.from, cert.not_before());
    out.until = std::min(out.until, cert.not_after());
  }
  return out;
}

Error chain_error(int code) {
  std::string detail = X509_verify_cert_error_string(code);
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return unauthorized("certificate_expired", detail);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return unauthorized("certificate_not_yet_valid", detail);
    default:
      return unauthorized("certificate_untrusted", detail);
  }
}

detail::X509StorePtr make_store(const std::vector<Certificate>& roots) {
  detail::X509StorePtr store(must(X509_STORE_new()));
  for (const auto& root : roots) must(X509_STORE_add_cert(store.get(), root.handle()) == 1);
  return store;
}

detail::X509StackPtr make_stack(const std::vector<Certificate>& certs) {
  detail::X509StackPtr stack(must(sk_X509_new_null()));
  for (const auto& cert : certs) {
    must(X509_up_ref(cert.handle()) == 1);
    must(sk_X509_push(stack.get(), cert.handle()) > 0);
  }
  return stack;
}

}  // namespace

Result<Validity> verify_chain(const Certificate& leaf,
                              const std::vector<Certificate>& intermediates,
                              const std::vector<Certificate>& roots, CertUse use, UnixTime now) {
  if (intermediates.size() > kMaxIntermediates) {
    return unauthorized("certificate_untrusted", "too many certificates");
  }
  const auto store = make_store(roots);
  const auto untrusted = make_stack(intermediates);
  const detail::X509StoreCtxPtr ctx(must(X509_STORE_CTX_new()));
  must(X509_STORE_CTX_init(ctx.get(), store.get(), leaf.handle(), untrusted.get()) == 1);
  X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(ctx.get());
  must(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT) == 1);
  X509_VERIFY_PARAM_set_time(param, static_cast<time_t>(now.time_since_epoch().count()));
  X509_VERIFY_PARAM_set_depth(param, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(param, kAuthLevel);
  const bool good = X509_verify_cert(ctx.get()) == 1;
  ERR_clear_error();
  if (!good) return chain_error(X509_STORE_CTX_get_error(ctx.get()));
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(ctx.get());
  if (auto fit = check_leaf(leaf.handle(), use); !fit) return std::move(fit).error();
  if (auto fit = check_issuers(chain, use); !fit) return std::move(fit).error();
  return validity_of(chain);
}

}  // namespace convoy::crypto

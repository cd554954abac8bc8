#include "wire/auth/challenge.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "wire/http/headers.hpp"

namespace convoy::auth {
namespace {

constexpr std::size_t kMaxHeader = 16 * 1024;
constexpr std::size_t kMaxChallenges = 16;
constexpr std::size_t kMaxParams = 32;

bool alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool token_char(char c) {
  return alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool token68_char(char c) {
  return alnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
}
bool control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_token68(std::string_view text) {
  const auto end = text.find_last_not_of('=');
  if (end == std::string_view::npos) return false;
  text = text.substr(0, end + 1);
  // A lambda is inlined, a function given by its name is called for each character of a long token.
  return std::all_of(text.begin(), text.end(), [](char c) { return token68_char(c); });
}

/// A cursor over the header; each take_* leaves it alone when it finds nothing.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool skip_blanks() {
    const auto n = std::min(rest_.find_first_not_of(" \t"), rest_.size());
    rest_.remove_prefix(n);
    return n > 0;
  }
  void skip_commas() {
    skip_blanks();
    while (take(',')) skip_blanks();
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view take_token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), token_char);
    return take_prefix(static_cast<std::size_t>(end - rest_.begin()));
  }
  /// Everything up to a comma or blank.
  std::string_view take_word() {
    return take_prefix(std::min(rest_.find_first_of(", \t"), rest_.size()));
  }
  /// After the opening quote, up to and with the closing one.
  std::optional<std::string> take_quoted() {
    std::string out;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return out;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (control(c)) return std::nullopt;
      out += c;
    }
    return std::nullopt;
  }
  std::string_view rest() const { return rest_; }
  void reset(std::string_view rest) { rest_ = rest; }

 private:
  std::string_view take_prefix(std::size_t n) {
    const auto prefix = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return prefix;
  }
  std::string_view rest_;
};

enum class Found { param, none, broken };

/// `key = value` at the cursor. A token without '=' is the next challenge's scheme: none.
Found take_param(Reader& in, std::map<std::string, std::string>& params) {
  const auto start = in.rest();
  const auto key = in.take_token();
  in.skip_blanks();
  if (key.empty() || !in.take('=')) {
    in.reset(start);
    return Found::none;
  }
  in.skip_blanks();
  std::optional<std::string> value;
  if (in.take('"')) {
    value = in.take_quoted();
  } else if (const auto token = in.take_token(); !token.empty()) {
    value = std::string(token);
  }
  if (!value || params.size() == kMaxParams) return Found::broken;
  if (!params.emplace(lower(key), *std::move(value)).second) return Found::broken;
  return Found::param;
}

/// Whether a list element has ended at the cursor.
bool at_separator(Reader& in) {
  in.skip_blanks();
  return in.done() || in.rest().starts_with(',');
}

bool take_token68(Reader& in, Challenge& out) {
  const auto start = in.rest();
  const auto word = in.take_word();
  if (is_token68(word) && at_separator(in)) {
    out.params.emplace("", word);
    return true;
  }
  in.reset(start);
  return false;
}

Result<Challenge> take_challenge(Reader& in) {
  Challenge out;
  out.scheme = lower(in.take_token());
  if (out.scheme.empty()) return invalid("challenge_invalid", "no scheme");
  if (in.done() || in.rest().starts_with(',')) return out;
  if (!in.skip_blanks()) return invalid("challenge_invalid", "scheme");
  if (at_separator(in) || take_token68(in, out)) return out;
  for (;;) {
    const auto found = take_param(in, out.params);
    if (found == Found::broken) return invalid("challenge_invalid", "parameter");
    if (found == Found::none) {
      if (out.params.empty()) return invalid("challenge_invalid", "parameter");
      return out;
    }
    if (!at_separator(in)) return invalid("challenge_invalid", "separator");
    in.skip_commas();
    if (in.done()) return out;
  }
}

void append_param(std::string& out, std::string_view key, std::string_view value) {
  out += out.find('=') == std::string::npos ? " " : ",";
  out += key;
  out += "=\"";
  for (char c : value) {
    if (control(c)) continue;
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

Error bad_authorization(std::string detail) {
  return unauthorized("authorization_invalid", std::move(detail));
}

Result<Credential> parse_basic(std::string_view encoded) {
  auto raw = from_base64(encoded);
  if (!raw) return bad_authorization("base64");
  const auto text = as_text(*raw);
  const auto colon = text.find(':');
  const bool clean = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  Result<Credential> result = bad_authorization("user and password");
  if (colon != std::string_view::npos && clean) {
    result = Credential(BasicCredential{std::string(text.substr(0, colon)),
                                        Secret(std::string(text.substr(colon + 1)))});
  }
  if (!raw->empty()) ::explicit_bzero(raw->data(), raw->size());
  return result;
}

}  // namespace

Result<std::vector<Challenge>> parse_challenges(std::string_view text) {
  if (text.size() > kMaxHeader) return invalid("challenge_invalid", "too long");
  std::vector<Challenge> list;
  Reader in(text);
  in.skip_commas();
  while (!in.done()) {
    if (list.size() == kMaxChallenges) return invalid("challenge_invalid", "too many");
    auto challenge = take_challenge(in);
    if (!challenge) return std::move(challenge).error();
    list.push_back(*std::move(challenge));
    in.skip_commas();
  }
  if (list.empty()) return invalid("challenge_invalid", "empty");
  return list;
}

std::string to_header(const Challenge& challenge) {
  constexpr std::array<std::string_view, 3> kFirst = {"realm", "service", "scope"};
  std::string out = challenge.scheme;
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z') {
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  }
  // Realm, service, scope first: the order every registry writes and some clients expect.
  for (auto key : kFirst) {
    const auto it = challenge.params.find(std::string(key));
    if (it != challenge.params.end()) append_param(out, key, it->second);
  }
  for (const auto& [key, value] : challenge.params) {
    if (std::find(kFirst.begin(), kFirst.end(), key) == kFirst.end()) append_param(out, key, value);
  }
  return out;
}

Result<Credential> parse_authorization(std::string_view text) {
  if (text.size() > kMaxHeader) return bad_authorization("too long");
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return bad_authorization("no credential");
  const auto scheme = text.substr(0, blank);
  const auto rest = text.substr(blank + 1);
  if (http::iequals(scheme, "basic")) return parse_basic(rest);
  if (!http::iequals(scheme, "bearer")) return bad_authorization("scheme");
  if (!is_token68(rest)) return bad_authorization("bearer token");
  return Credential(BearerCredential{Secret(std::string(rest))});
}

std::string basic_header(std::string_view user, const Secret& password) {
  const std::string text = std::string(user) + ":" + std::string(password.reveal());
  return "Basic " + to_base64(as_bytes(text));
}

}  // namespace convoy::auth

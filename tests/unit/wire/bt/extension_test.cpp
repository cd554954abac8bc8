#include <gtest/gtest.h>

#include "support/wire_code_of.hpp"
#include "wire/bt/message.hpp"

namespace convoy::bt {
namespace {

using test::code_of;

std::string refused(std::string_view text) {
  return code_of(decode_extension_handshake(as_bytes(text)));
}
std::string text(std::string_view s) { return std::to_string(s.size()) + ":" + std::string(s); }

TEST(ExtensionHandshake, ComesBackAsItWas) {
  ExtensionHandshake h;
  h.ids = {{std::string(kExtTicket), 1}, {std::string(kExtDontHave), 2}};
  h.client = "Convoy";
  h.max_requests = 250;
  h.listen_port = 6881;
  h.ticket = "a.b.c";
  h.request_id = "rid-1";
  h.age_ms = 1500;
  const auto bytes = encode(h);
  EXPECT_EQ(as_text(bytes),
            "d6:cv_agei1500e6:cv_rid5:rid-19:cv_ticket5:a.b.c1:md9:cv_ticketi1e11:lt_donthavei2ee1:"
            "pi6881e4:"
            "reqqi250e1:v6:"
            "Convoye");
  const auto back = decode_extension_handshake(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->ids, h.ids);
  EXPECT_EQ(back->client, h.client);
  EXPECT_EQ(back->max_requests, 250u);
  EXPECT_EQ(back->listen_port, 6881u);
  EXPECT_EQ(back->ticket, h.ticket);
  EXPECT_EQ(back->request_id, h.request_id);
  EXPECT_EQ(back->age_ms, 1500u);
}

TEST(ExtensionHandshake, ReadsAnotherClientsAndPassesOverItsKeys) {
  const auto h = decode_extension_handshake(as_bytes(
      "d12:complete_agoi-1e1:md11:lt_donthavei7e10:share_modei0e6:ut_pexi1ee13:metadata_sizei345e4:"
      "reqqi2000e11:upload_onlyi3e1:v18:libtorrent/2.0.8.06:yourip4:\x7f\x01\x01\x01"
      "e"));
  ASSERT_TRUE(h) << h.error().text();
  EXPECT_EQ(h->ids, (std::map<std::string, std::uint8_t>{{"lt_donthave", 7}, {"ut_pex", 1}}));
  EXPECT_EQ(h->max_requests, 2000u);
  EXPECT_EQ(h->ticket, "");
}

TEST(ExtensionHandshake, MayBeEmpty) {
  EXPECT_EQ(refused("de"), "");
  EXPECT_EQ(encode(ExtensionHandshake{}), to_bytes(as_bytes("d1:mdee")));
}

TEST(ExtensionHandshake, RefusesWhatDoesNotFit) {
  const std::string bad[] = {"",
                             "le",
                             "i1e",
                             "d",
                             "de ",
                             "d1:mi1ee",
                             "d1:md1:ai256eee",
                             "d1:md1:ai-1eee",
                             "d1:md1:a1:beee",
                             "d1:md0:i1eee",
                             "d1:md" + text(std::string(65, 'a')) + "i1eee",
                             "d4:reqqi-1ee",
                             "d4:reqqi4294967296ee",
                             "d4:reqq1:1e",
                             "d1:pi0ee",
                             "d1:pi65536ee",
                             "d1:pi-1ee",
                             "d1:p1:1e",
                             "d1:vi1ee",
                             "d9:cv_ticketlee",
                             "d6:cv_agei-1ee",
                             "d6:cv_agei4294967296ee",
                             "d6:cv_age1:1e",
                             "d6:cv_rid3:a be",
                             "d6:cv_rid2:a\ne",
                             "d1:v1:a1:mdee"};
  for (const auto& t : bad) EXPECT_EQ(refused(t), "extension_handshake_invalid") << t;
}

TEST(ExtensionHandshake, HoldsEachOfItsLimits) {
  const auto with = [](std::string_view key, std::size_t n) {
    return "d" + text(key) + text(std::string(n, 'a')) + "e";
  };
  EXPECT_EQ(refused(with("cv_ticket", 16 * 1024)), "");
  EXPECT_EQ(refused(with("cv_ticket", 16 * 1024 + 1)), "extension_handshake_invalid");
  EXPECT_EQ(refused(with("cv_rid", 128)), "");
  EXPECT_EQ(refused(with("cv_rid", 129)), "extension_handshake_invalid");
  EXPECT_EQ(refused("d6:cv_agei0ee"), "");
  EXPECT_EQ(refused("d6:cv_agei4294967295ee"), "");
  EXPECT_EQ(refused("d1:pi1ee"), "");
  EXPECT_EQ(refused("d1:pi65535ee"), "");
  EXPECT_EQ(refused(with("v", 256)), "");
  EXPECT_EQ(refused(with("v", 257)), "extension_handshake_invalid");
  EXPECT_EQ(refused(with("x", 64 * 1024 - 11)), "");
  EXPECT_EQ(refused(with("x", 64 * 1024 - 10)), "extension_handshake_invalid");
  const auto ids = [](char last) {
    std::string out = "d1:md";
    for (char c = '0'; c <= last; ++c) out += std::string("1:") + c + "i1e";
    return out + "ee";
  };
  EXPECT_EQ(refused(ids('0' + 63)), "");
  EXPECT_EQ(refused(ids('0' + 64)), "extension_handshake_invalid");
}

}  // namespace
}  // namespace convoy::bt

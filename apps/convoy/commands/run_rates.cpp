#include <boost/json/object.hpp>
#include <cstdio>
#include <fmt/format.h>

#include "cli/files.hpp"
#include "commands/commands.hpp"
#include "config/agent_config.hpp"
#include "config/quantity.hpp"
#include "wire/json.hpp"
#include "wiring/admin_link.hpp"

namespace convoy::commands {

namespace {

struct Rate {
  const char* name;  ///< in JSON; the option has - for _
  std::string RatesArgs::* value;
};
constexpr Rate kRates[] = {{"upload", &RatesArgs::upload},
                           {"upload_per_peer", &RatesArgs::upload_per_peer},
                           {"upload_background", &RatesArgs::upload_background},
                           {"download", &RatesArgs::download},
                           {"origin", &RatesArgs::origin}};

int fail(const std::string& why, int status = kFailed) {
  std::fprintf(stderr, "convoy rates: %s\n", why.c_str());
  return status;
}

Result<std::string> data_dir(const RatesArgs& args) {
  if (!args.data.empty()) return args.data;
  if (args.config.empty()) return invalid("usage", "say --config FILE or --data DIR");
  const auto text = cli::read_file(args.config, config::kMaxConfigBytes + 1);
  if (!text) return text.error();
  config::AgentFile file;
  const config::Faults faults = config::parse_agent(*text, file);
  if (!faults.empty())
    return invalid("config_invalid", "\n" + config::to_text(faults, args.config));
  return cli::resolve(cli::folder_of(args.config), file.agent.data_dir.text);
}

/// A JSON object of what is to be changed; "" for nothing.
Result<std::string> order_of(const RatesArgs& args) {
  std::string out;
  for (const Rate& rate : kRates) {
    const std::string& text = args.*rate.value;
    if (text.empty()) continue;
    const auto bytes = config::parse_rate(text);
    if (!bytes) return invalid("usage", "\"" + text + "\" is no rate; say 50MB/s or unlimited");
    out += fmt::format("{}\"{}\":{}", out.empty() ? "{" : ",", rate.name, *bytes);
  }
  return out.empty() ? out : out + "}";
}

void print(const boost::json::object& rates) {
  for (const Rate& rate : kRates) {
    const auto bytes = wire::json_int(rates, rate.name).value_or(0);
    std::printf("%-18s %s\n", rate.name,
                config::print_rate(static_cast<std::uint64_t>(bytes)).c_str());
  }
}

}  // namespace

int run_rates(const RatesArgs& args) {
  const auto data = data_dir(args);
  if (!data) return fail(data.error().detail(), kUsage);
  const auto order = order_of(args);
  if (!order) return fail(order.error().detail(), kUsage);
  const auto link = wiring::AdminLink::open(*data);
  if (!link) return fail(link.error().detail());
  const auto reply = link->ask(order->empty() ? "GET" : "PATCH", "rates", *order);
  if (!reply) return fail(reply.error().text());
  const auto rates = wire::parse_json_object(reply->body);
  if (reply->status != 200 || !rates) {
    return fail(fmt::format("the agent answers {}: {}", reply->status, reply->body));
  }
  if (args.json) {
    std::printf("%s\n", reply->body.c_str());
  } else {
    print(*rates);
  }
  return kOk;
}

}  // namespace convoy::commands

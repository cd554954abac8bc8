#include "wiring/serve.hpp"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <unistd.h>
#include <utility>

#include "base/version.hpp"
#include "cli/files.hpp"
#include "net/http_server.hpp"
#include "net/task_group.hpp"
#include "wiring/ops_routes.hpp"

namespace convoy::wiring {

namespace {

using boost::asio::signal_set;

class Server {
 public:
  Server(Runtime& runtime, std::vector<RolePtr> roles, ServeOptions options)
      : runtime_(runtime),
        roles_(std::move(roles)),
        options_(std::move(options)),
        tasks_(runtime.io.get_executor()),
        stop_(runtime.io.get_executor()),
        signals_(runtime.io, SIGTERM, SIGINT, SIGHUP) {}

  int run(std::string& error) {
    await_signal();
    tasks_.spawn([this] { return main(); });
    while (!over_ || tasks_.size() > 0) runtime_.io.run_one();
    signals_.cancel();
    runtime_.io.restart();
    runtime_.io.poll();
    error = error_;
    return error_.empty() ? 0 : 1;
  }

 private:
  net::Task<void> main() {
    Status started = co_await start_all();
    if (started) {
      write_ready_file(false);
      co_await serve_until_stopped();
    } else {
      error_ = started.error().text();
      runtime_.log.error("cannot start", {{"error", error_}});
    }
    co_await stop_all();
    over_ = true;
  }

  net::Task<Status> start_all() {
    if (Status ops = open_ops(); !ops) co_return ops;
    for (RolePtr& role : roles_) {
      ++started_;
      Status status = co_await role->start();
      if (!status) {
        --started_;
        co_return std::move(status).error().with(role->name());
      }
    }
    co_return Status();
  }

  Status open_ops() {
    if (!options_.ops) return {};
    net::HttpServerOptions options;
    options.name = "ops";
    ops_ = std::make_unique<net::HttpServer>(
        runtime_.io.get_executor(), std::move(options),
        ops_routes(
            runtime_.metrics, [this] { return not_ready(); }, [this] { return status(); }, admin()),
        runtime_.log.module("ops"), runtime_.random);
    auto bound = ops_->listen(*options_.ops);
    if (!bound) {
      ops_.reset();
      return std::move(bound).error().with("ops");
    }
    endpoints_["ops"] = bound->str();
    for (RolePtr& role : roles_) {
      if (Status told = role->ops_bound(*bound); !told) {
        return std::move(told).error().with(role->name());
      }
    }
    return {};
  }

  std::vector<AdminRoute> admin() {
    std::vector<AdminRoute> out;
    for (RolePtr& role : roles_) {
      for (AdminRoute& route : role->admin_routes()) out.push_back(std::move(route));
    }
    return out;
  }

  net::Task<void> serve_until_stopped() {
    bool told = false;
    while (!stopping_) {
      if (!told && !not_ready()) {
        told = true;
        announce_ready();
      }
      const Duration pause =
          told ? Duration(std::chrono::hours(1)) : Duration(std::chrono::milliseconds(50));
      co_await stop_.wait(pause);
    }
  }

  net::Task<void> stop_all() {
    runtime_.log.info("stopping");
    while (started_ > 0) {
      --started_;
      co_await roles_[started_]->stop(options_.grace);
    }
    if (ops_) co_await ops_->stop(std::chrono::seconds(0));
    runtime_.log.info("stopped");
  }

  std::optional<std::string> not_ready() const {
    if (started_ < roles_.size()) return "starting";
    if (auto reason = runtime_.not_ready()) return reason;
    for (const RolePtr& role : roles_) {
      if (auto reason = role->not_ready()) return role->name() + ": " + *reason;
    }
    return std::nullopt;
  }

  std::string status() const {
    for (const RolePtr& role : roles_) {
      if (std::string text = role->status_json(); !text.empty()) return text;
    }
    return {};
  }

  Endpoints all_endpoints() const {
    Endpoints out = endpoints_;
    for (const RolePtr& role : roles_) out.merge(role->endpoints());
    return out;
  }

  void announce_ready() {
    const Endpoints bound = all_endpoints();
    Logger log = runtime_.log;
    for (const auto& [name, address] : bound) log = log.with({{name, address}});
    log.info("ready", {{"version", kVersion}});
    if (options_.on_ready) options_.on_ready(bound);
    write_ready_file(true);
  }

  void write_ready_file(bool ready) {
    if (options_.ready_file.empty()) return;
    std::string text = std::string("{\"ready\":") + (ready ? "true" : "false") + ",\"endpoints\":{";
    bool first = true;
    for (const auto& [name, address] : all_endpoints()) {
      if (!std::exchange(first, false)) text += ",";
      append_json_string(text, name);
      text += ":";
      append_json_string(text, address);
    }
    text += "}}\n";
    if (Status written = cli::write_file(options_.ready_file, text, 0644); !written) {
      runtime_.log.error("ready file", {{"error", written.error().text()}});
    }
  }

  void await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      on_signal(signal);
      await_signal();
    });
  }

  void on_signal(int signal) {
    if (signal == SIGHUP) {
      reload_all();
      return;
    }
    if (stopping_) {
      runtime_.log.warn("second signal, ending at once");
      ::_exit(1);
    }
    stopping_ = true;
    stop_.notify_all();
  }

  void reload_all() {
    for (RolePtr& role : roles_) {
      if (Status done = role->reload(); done) {
        runtime_.log.info("reloaded", {{"role", role->name()}});
      } else {
        runtime_.log.error("reload refused, going on with what was there",
                           {{"role", role->name()}, {"error", done.error().text()}});
      }
    }
  }

  Runtime& runtime_;
  std::vector<RolePtr> roles_;
  ServeOptions options_;
  net::TaskGroup tasks_;
  net::Notify stop_;
  signal_set signals_;
  std::unique_ptr<net::HttpServer> ops_;
  Endpoints endpoints_;
  std::size_t started_ = 0;
  bool stopping_ = false;
  bool over_ = false;
  std::string error_;
};

}  // namespace

int serve(Runtime& runtime, std::vector<RolePtr> roles, ServeOptions options, std::string& error) {
  return Server(runtime, std::move(roles), std::move(options)).run(error);
}

}  // namespace convoy::wiring

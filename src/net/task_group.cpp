#include "net/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <list>
#include <utility>
#include <vector>

namespace convoy::net {
namespace {

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "convoy: exception left a task: %s\n", what);
  std::abort();
}

}  // namespace

struct TaskGroup::Impl : std::enable_shared_from_this<Impl> {
  struct Entry {
    asio::cancellation_signal signal;
  };
  using Entries = std::list<std::shared_ptr<Entry>>;

  explicit Impl(Executor e) : executor(e) {}

  /// Takes the entry off the list, however the coroutine's frame ends.
  struct Leave {
    std::shared_ptr<Impl> group;
    Entries::iterator at;
    ~Leave() {
      group->entries.erase(at);
      if (!group->entries.empty()) return;
      for (auto* timer : group->stoppers) timer->cancel();
    }
  };

  struct Stopper {
    Stopper(Impl& g, asio::steady_timer& timer)
        : group(g), at(g.stoppers.insert(g.stoppers.end(), &timer)) {}
    ~Stopper() { group.stoppers.erase(at); }
    Stopper(const Stopper&) = delete;
    Stopper& operator=(const Stopper&) = delete;
    Impl& group;
    std::list<asio::steady_timer*>::iterator at;
  };

  static Task<void> run(std::shared_ptr<Impl> group, std::function<Task<void>()> task,
                        Entries::iterator at) {
    const Leave leave{std::move(group), at};
    co_await asio::this_coro::throw_if_cancelled(false);
    try {
      Task<void> body = task();
      co_await std::move(body);
    } catch (const std::exception& e) {
      die(e.what());
    } catch (...) {
      die("unknown");
    }
  }

  Executor executor;
  Entries entries;
  /// Of those who wait in stop(). The group itself holds nothing of the loop's.
  std::list<asio::steady_timer*> stoppers;
  bool stopping = false;
};

TaskGroup::TaskGroup(Executor executor) : impl_(std::make_shared<Impl>(executor)) {}

TaskGroup::~TaskGroup() {
  if (impl_->entries.empty()) return;
  std::fprintf(stderr, "convoy: a TaskGroup was destroyed with %zu tasks left\n",
               impl_->entries.size());
  std::abort();
}

void TaskGroup::spawn(std::function<Task<void>()> task) {
  if (impl_->stopping) return;
  auto entry = std::make_shared<Impl::Entry>();
  const auto at = impl_->entries.insert(impl_->entries.end(), entry);
  asio::cancellation_slot slot = entry->signal.slot();
  // The signal must outlive the coroutine's last frame, so its completion handler holds it.
  asio::co_spawn(impl_->executor, Impl::run(impl_, std::move(task), at),
                 asio::bind_cancellation_slot(slot, [entry](const std::exception_ptr&) {}));
}

std::size_t TaskGroup::size() const { return impl_->entries.size(); }

Task<void> TaskGroup::stop() {
  const auto impl = impl_;
  impl->stopping = true;
  const std::vector<std::shared_ptr<Impl::Entry>> running(impl->entries.begin(),
                                                          impl->entries.end());
  for (const auto& entry : running) entry->signal.emit(asio::cancellation_type::terminal);
  co_await asio::this_coro::throw_if_cancelled(false);
  asio::steady_timer gone(impl->executor, asio::steady_timer::time_point::max());
  const Impl::Stopper stopper(*impl, gone);
  while (!impl->entries.empty()) {
    boost::system::error_code ec;
    co_await gone.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
}

}  // namespace convoy::net

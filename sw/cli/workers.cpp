// SPDX-License-Identifier: Apache-2.0
#include "sw/cli/workers.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>

namespace ohmac::cli {
namespace {

constexpr char kOk = 'O', kFailed = 'E';
constexpr int kPollMs = 100;

struct Child {
  pid_t pid = -1;
  int fd = -1;
  uint32_t index = 0;
  std::string bytes;  // status letter, then the job's answer or the message of its exception
};

void write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(fd, data, size);
    if (n < 0) {
      if (errno == EINTR) continue;
      _exit(3);  // the parent is gone
    }
    data += n;
    size -= static_cast<size_t>(n);
  }
}

Child spawn(uint32_t index, const std::function<std::string(uint32_t)>& job) {
  int fds[2];
  if (pipe(fds) != 0) throw std::runtime_error(std::string("cannot create a pipe: ") + std::strerror(errno));
  std::fflush(stdout);
  std::fflush(stderr);
  const pid_t pid = fork();
  if (pid < 0) {
    close(fds[0]);
    close(fds[1]);
    throw std::runtime_error(std::string("cannot fork a worker: ") + std::strerror(errno));
  }
  if (pid == 0) {
    close(fds[0]);
    std::string answer(1, kOk);
    try {
      answer += job(index);
    } catch (const std::exception& e) {
      answer = std::string(1, kFailed) + e.what();
    }
    write_all(fds[1], answer.data(), answer.size());
    _exit(0);  // no destructors: they belong to the parent
  }
  close(fds[1]);
  Child c;
  c.pid = pid;
  c.fd = fds[0];
  c.index = index;
  return c;
}

/// Reads what there is; true at the end of the stream.
bool drain(Child* c) {
  char buffer[65536];
  const ssize_t n = ::read(c->fd, buffer, sizeof buffer);
  if (n > 0) c->bytes.append(buffer, static_cast<size_t>(n));
  return n == 0 || (n < 0 && errno != EINTR);
}

}  // namespace

SharedCounter::SharedCounter() {
  void* p = mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  p_ = static_cast<uint64_t*>(p);
}
SharedCounter::~SharedCounter() { munmap(p_, sizeof(uint64_t)); }
void SharedCounter::add(uint64_t n) { __atomic_fetch_add(p_, n, __ATOMIC_RELAXED); }
uint64_t SharedCounter::value() const { return __atomic_load_n(p_, __ATOMIC_RELAXED); }

std::vector<std::string> run_forked(uint32_t count, uint32_t parallel, const std::function<std::string(uint32_t)>& job,
                                    const std::function<void()>& idle) {
  std::vector<std::string> answers(count);
  std::vector<Child> running;
  std::string error;
  uint32_t next = 0;
  while (next < count || !running.empty()) {
    while (error.empty() && next < count && running.size() < std::max(1u, parallel))
      running.push_back(spawn(next++, job));
    std::vector<pollfd> fds;
    for (const Child& c : running) fds.push_back({c.fd, POLLIN, 0});
    poll(fds.data(), fds.size(), kPollMs);
    for (size_t i = running.size(); i-- > 0;) {
      if (!(fds[i].revents & (POLLIN | POLLHUP | POLLERR)) || !drain(&running[i])) continue;
      Child c = std::move(running[i]);
      running.erase(running.begin() + static_cast<long>(i));
      close(c.fd);
      int status = 0;
      waitpid(c.pid, &status, 0);
      if (!c.bytes.empty() && c.bytes[0] == kOk && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        answers[c.index] = c.bytes.substr(1);
      } else if (error.empty()) {
        error = !c.bytes.empty() && c.bytes[0] == kFailed
                    ? c.bytes.substr(1)
                    : "a worker process died" +
                          (WIFSIGNALED(status) ? " of signal " + std::to_string(WTERMSIG(status)) : "");
        for (const Child& other : running) kill(other.pid, SIGTERM);
        next = count;
      }
    }
    if (idle) idle();
  }
  if (!error.empty()) throw std::runtime_error(error);
  return answers;
}

}  // namespace ohmac::cli

// SPDX-License-Identifier: Apache-2.0
// The machine that this process runs on; under npurt-emu its sysfs and driver are the emulator's.
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "doctor/machine.hpp"

namespace npurt::doctor {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_text = 64 << 10;
constexpr unsigned cap_ipc_lock = 14;  // linux/capability.h

std::string name_of_group(gid_t group) {
  const ::group* entry = ::getgrgid(group);
  return entry == nullptr ? "" : entry->gr_name;
}

std::vector<std::string> names_of(const std::vector<gid_t>& groups) {
  std::vector<std::string> names;
  for (const gid_t group : groups) {
    if (std::string name = name_of_group(group); !name.empty()) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

std::vector<gid_t> own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  groups.push_back(::getegid());
  return groups;
}

std::vector<gid_t> groups_of(const ::passwd& user) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  while (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

class host : public machine {
 public:
  std::optional<std::string> read(const std::string& path) const override {
    std::ifstream in(path, std::ios::binary);
    std::string text(longest_text, '\0');
    if (!in || !(in.read(text.data(), static_cast<std::streamsize>(text.size())) || in.eof())) {
      return std::nullopt;
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
  }

  bool exists(const std::string& path) const override {
    std::error_code ignored;
    return fs::exists(path, ignored);
  }

  std::vector<std::string> list(const std::string& path) const override {
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator entry(path, failure), end; !failure && entry != end; entry.increment(failure)) {
      names.push_back(entry->path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  std::string resolve(const std::string& path) const override {
    std::error_code failure;
    const fs::path real = fs::canonical(path, failure);
    return failure ? path : real.string();
  }

  std::optional<file_status> status(const std::string& path) const override {
    struct stat s{};
    if (::stat(path.c_str(), &s) != 0) {
      return std::nullopt;
    }
    return file_status{.mode = s.st_mode & 07777U, .group = s.st_gid, .group_name = name_of_group(s.st_gid)};
  }

  int open_error(const std::string& path) const override {
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) {
      return errno;
    }
    ::close(file);
    return 0;
  }

  driver_answers ask(const std::string& node) const override { return ask_driver(node); }

  identity who() const override {
    identity me{.user = {},
                .root = ::geteuid() == 0,
                .may_lock = has_ipc_lock(),
                .groups = names_of(own_groups()),
                .member_of = {}};
    if (const ::passwd* user = ::getpwuid(::geteuid())) {
      me.user = user->pw_name;
      me.member_of = names_of(groups_of(*user));
    } else {
      me.user = std::to_string(::geteuid());
    }
    return me;
  }

  std::uint64_t memlock_limit() const override {
    ::rlimit limit{};
    return ::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ? unlimited : limit.rlim_cur;
  }

  std::string environment(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? "" : value;
  }

  std::string kernel_release() const override {
    ::utsname name{};
    return ::uname(&name) == 0 ? name.release : "";
  }

  std::string prefix() const override {
    std::error_code failure;
    return fs::read_symlink("/proc/self/exe", failure).parent_path().parent_path();
  }

  bool emulated() const override { return ::dlsym(RTLD_DEFAULT, "npurt_emulator_version") != nullptr; }

 private:
  bool has_ipc_lock() const {
    const std::string text = read("/proc/self/status").value_or("");
    const std::size_t at = text.find("CapEff:");
    return at != std::string::npos && (std::strtoull(text.c_str() + at + 7, nullptr, 16) >> cap_ipc_lock & 1) != 0;
  }
};

}  // namespace

std::unique_ptr<machine> this_machine() { return std::make_unique<host>(); }

}  // namespace npurt::doctor

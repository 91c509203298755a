// SPDX-License-Identifier: Apache-2.0
// Making, finding and removing the directory of the virtual tree. Uses calls that are not interposed, or raw ones.
#include "emu/shim/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace npurt::emu::shim {
namespace {

constexpr std::string_view directory_prefix = "npurt-emu.";

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

int raw_open(int directory, const char* path, int flags, int mode = 0) {
  return static_cast<int>(::syscall(SYS_openat, directory, path, flags | O_CLOEXEC, mode));
}

/// A path is below a root if it is the root or goes on with a slash.
bool below(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

std::string temporary_directory() {
  const char* set = ::secure_getenv("TMPDIR");
  const std::string path = set != nullptr && set[0] == '/' ? set : "/tmp";
  char resolved[PATH_MAX];
  // realpath is interposed, but a temporary directory is not below a watched prefix, so it reaches libc. On /dev/shm
  // it would be watched; the path as given is then as good.
  return path.starts_with("/dev/") || ::realpath(path.c_str(), resolved) == nullptr ? path : std::string(resolved);
}

/// Removes everything in an open directory. Links are removed, not followed.
void empty_directory(int directory) {
  DIR* stream = ::fdopendir(directory);
  if (stream == nullptr) {
    ::syscall(SYS_close, directory);
    return;
  }
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (::unlinkat(directory, entry->d_name, 0) == 0) continue;
    const int child = raw_open(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (child >= 0) empty_directory(child);
    ::unlinkat(directory, entry->d_name, AT_REMOVEDIR);
  }
  ::closedir(stream);
}

void remove_directory(int parent, const char* name) {
  const int directory = raw_open(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (directory < 0) return;
  empty_directory(directory);
  ::unlinkat(parent, name, AT_REMOVEDIR);
}

/// Removes trees of this user whose process is gone: those whose lock is free.
void reap(const std::string& parent) {
  const int fd = raw_open(AT_FDCWD, parent.c_str(), O_RDONLY | O_DIRECTORY);
  if (fd < 0) return;
  DIR* stream = ::fdopendir(fd);
  if (stream == nullptr) return;
  while (const dirent* entry = ::readdir(stream)) {
    if (!std::string_view(entry->d_name).starts_with(directory_prefix)) continue;
    const int directory = raw_open(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (directory < 0) continue;
    struct stat status{};
    const bool ours = ::fstat(directory, &status) == 0 && status.st_uid == ::geteuid();
    if (ours && ::flock(directory, LOCK_EX | LOCK_NB) == 0) remove_directory(fd, entry->d_name);
    ::syscall(SYS_close, directory);
  }
  ::closedir(stream);
}

/// Makes the directories that lead to a file.
void make_parents(int base, const std::string& path) {
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
    if (::mkdirat(base, path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) fail("mkdir " + path);
}

void write_file(int base, const virtual_tree::file& file) {
  const std::string path = file.path.substr(1);
  make_parents(base, path);
  const int fd = raw_open(base, path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (fd < 0) fail("create " + path);
  const auto written = ::write(fd, file.contents.data(), file.contents.size());
  ::syscall(SYS_close, fd);
  if (written != static_cast<ssize_t>(file.contents.size())) fail("write " + path);
}

}  // namespace

tree::tree(const virtual_tree& description) : roots_(description.roots) {
  const std::string parent = temporary_directory();
  reap(parent);
  // Between mkdtemp and flock a reaper of another process may take the directory for an abandoned one: then again.
  for (bool kept = false; !kept;) {
    directory_ = parent + "/" + std::string(directory_prefix) + "XXXXXX";
    if (::mkdtemp(directory_.data()) == nullptr) fail("mkdtemp " + directory_);
    lock_ = raw_open(AT_FDCWD, directory_.c_str(), O_RDONLY | O_DIRECTORY);
    if (lock_ < 0 && errno != ENOENT) fail("open " + directory_);
    kept = lock_ >= 0 && ::flock(lock_, LOCK_EX) == 0 && ::faccessat(AT_FDCWD, directory_.c_str(), F_OK, 0) == 0;
    if (!kept && lock_ >= 0) ::syscall(SYS_close, lock_);
  }
  fill(description);
}

void tree::fill(const virtual_tree& description) {
  for (const auto& directory : description.directories) make_parents(lock_, directory.substr(1) + "/");
  for (const auto& file : description.files) write_file(lock_, file);
  for (const auto& link : description.links) {
    const std::string path = link.path.substr(1);
    make_parents(lock_, path);
    if (::symlinkat(link.target.c_str(), lock_, path.c_str()) != 0) fail("symlink " + path);
  }
}

tree::~tree() {
  if (lock_ < 0) return;
  remove_directory(AT_FDCWD, directory_.c_str());
  ::syscall(SYS_close, lock_);
}

void tree::abandon() {
  if (lock_ >= 0) ::syscall(SYS_close, lock_);
  lock_ = -1;
}

std::optional<std::string> tree::inside(std::string_view path) const {
  for (const auto& root : roots_)
    if (below(path, root)) return directory_ + std::string(path);
  return std::nullopt;
}

std::optional<std::string> tree::outside(std::string_view path) const {
  if (!below(path, directory_)) return std::nullopt;
  return path.size() == directory_.size() ? "/" : std::string(path.substr(directory_.size()));
}

}  // namespace npurt::emu::shim

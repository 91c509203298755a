// SPDX-License-Identifier: Apache-2.0
// libc functions that take a path: they look into the virtual tree for the paths that it replaces.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "emu/shim/interpose.hpp"
#include "emu/shim/libc.hpp"
#include "emu/shim/session.hpp"

namespace {

using namespace npurt::emu::shim;

/// Calls `next` with the path to use in place of `path`.
template <class Next>
auto with_path(const char* path, Next&& next) {
  const auto other = redirected(path);
  return next(other ? other->c_str() : path);
}

bool takes_mode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

mode_t mode_argument(int flags, std::va_list& arguments) {
  return takes_mode(flags) ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

template <class Next>
int open_path(const char* path, int flags, Next&& next) {
  return is_device_node(path) ? open_device(flags) : with_path(path, next);
}

/// What realpath answers for a path of the tree: without the tree's directory, in the caller's buffer or a new one.
char* restore_in_place(char* resolved, char* buffer) {
  if (resolved == nullptr) return nullptr;
  const auto path = restored(resolved);
  if (path) std::memcpy(buffer != nullptr ? buffer : resolved, path->c_str(), path->size() + 1);  // it only got shorter
  return resolved;
}

/// The tree's directory makes the path longer than the caller's buffer needs to be, hence a buffer of its own.
char* real_path_in_tree(const std::string& path, char* buffer) {
  char* resolved = restore_in_place(NPURT_NEXT(realpath, libc::realpath_function)(path.c_str(), nullptr), nullptr);
  if (resolved == nullptr || buffer == nullptr) return resolved;
  std::strcpy(buffer, resolved);
  std::free(resolved);
  return buffer;
}

}  // namespace

NPURT_INTERPOSED int open(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_path(path, flags, [&](auto* p) { return NPURT_NEXT(open, libc::open_function)(p, flags, mode); });
}

NPURT_INTERPOSED int open64(const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_path(path, flags, [&](auto* p) { return NPURT_NEXT(open64, libc::open_function)(p, flags, mode); });
}

NPURT_INTERPOSED int openat(int directory, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_path(path, flags,
                   [&](auto* p) { return NPURT_NEXT(openat, libc::openat_function)(directory, p, flags, mode); });
}

NPURT_INTERPOSED int openat64(int directory, const char* path, int flags, ...) {
  std::va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_path(path, flags,
                   [&](auto* p) { return NPURT_NEXT(openat64, libc::openat_function)(directory, p, flags, mode); });
}

NPURT_INTERPOSED int __open_2(const char* path, int flags) {
  return open_path(path, flags, [&](auto* p) { return NPURT_NEXT(__open_2, libc::open_2_function)(p, flags); });
}

NPURT_INTERPOSED int __open64_2(const char* path, int flags) {
  return open_path(path, flags, [&](auto* p) { return NPURT_NEXT(__open64_2, libc::open_2_function)(p, flags); });
}

NPURT_INTERPOSED int __openat_2(int directory, const char* path, int flags) {
  return open_path(path, flags,
                   [&](auto* p) { return NPURT_NEXT(__openat_2, libc::openat_2_function)(directory, p, flags); });
}

NPURT_INTERPOSED int __openat64_2(int directory, const char* path, int flags) {
  return open_path(path, flags,
                   [&](auto* p) { return NPURT_NEXT(__openat64_2, libc::openat_2_function)(directory, p, flags); });
}

NPURT_INTERPOSED FILE* fopen(const char* path, const char* mode) {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(fopen, libc::fopen_function)(p, mode); });
}

NPURT_INTERPOSED FILE* fopen64(const char* path, const char* mode) {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(fopen64, libc::fopen_function)(p, mode); });
}

NPURT_INTERPOSED DIR* opendir(const char* path) {
  return with_path(path, [](auto* p) { return NPURT_NEXT(opendir, libc::opendir_function)(p); });
}

NPURT_INTERPOSED int stat(const char* path, struct stat* status) noexcept {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(stat, libc::stat_function)(p, status); });
}

NPURT_INTERPOSED int stat64(const char* path, struct stat64* status) noexcept {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(stat64, libc::stat64_function)(p, status); });
}

NPURT_INTERPOSED int lstat(const char* path, struct stat* status) noexcept {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(lstat, libc::stat_function)(p, status); });
}

NPURT_INTERPOSED int lstat64(const char* path, struct stat64* status) noexcept {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(lstat64, libc::stat64_function)(p, status); });
}

NPURT_INTERPOSED int fstatat(int directory, const char* path, struct stat* status, int flags) noexcept {
  return with_path(path,
                   [&](auto* p) { return NPURT_NEXT(fstatat, libc::fstatat_function)(directory, p, status, flags); });
}

NPURT_INTERPOSED int fstatat64(int directory, const char* path, struct stat64* status, int flags) noexcept {
  return with_path(
      path, [&](auto* p) { return NPURT_NEXT(fstatat64, libc::fstatat64_function)(directory, p, status, flags); });
}

NPURT_INTERPOSED int access(const char* path, int mode) noexcept {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(access, libc::access_function)(p, mode); });
}

NPURT_INTERPOSED ssize_t readlink(const char* path, char* buffer, std::size_t size) noexcept {
  return with_path(path, [&](auto* p) { return NPURT_NEXT(readlink, libc::readlink_function)(p, buffer, size); });
}

NPURT_INTERPOSED char* realpath(const char* path, char* buffer) noexcept {
  const auto other = redirected(path);
  return other ? real_path_in_tree(*other, buffer) : NPURT_NEXT(realpath, libc::realpath_function)(path, buffer);
}

NPURT_INTERPOSED char* __realpath_chk(const char* path, char* buffer, std::size_t size) {
  const auto other = redirected(path);
  return other ? real_path_in_tree(*other, buffer)
               : NPURT_NEXT(__realpath_chk, libc::realpath_chk_function)(path, buffer, size);
}

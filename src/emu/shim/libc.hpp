// SPDX-License-Identifier: Apache-2.0
// The functions behind the interposed ones: the next definition in the search order, usually libc's.
#pragma once

#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdio>
#include <cstdlib>

namespace npurt::emu::shim::libc {

/// The next definition of `name`. Without it nothing can go on, and throwing through libc's callers is no option.
template <class Function>
Function* next(const char* name) {
  auto* symbol = ::dlsym(RTLD_NEXT, name);
  if (symbol == nullptr) {
    std::fprintf(stderr, "npurt-emu: libc has no %s\n", name);
    std::abort();
  }
  return reinterpret_cast<Function*>(symbol);
}

/// Calls the next definition of a function, which is looked up once.
#define NPURT_NEXT(name, type)                                              \
  ([]() -> type* {                                                          \
    static type* const next_ = ::npurt::emu::shim::libc::next<type>(#name); \
    return next_;                                                           \
  }())

using open_function = int(const char*, int, ...);
using open_2_function = int(const char*, int);
using openat_function = int(int, const char*, int, ...);
using openat_2_function = int(int, const char*, int);
using fopen_function = FILE*(const char*, const char*);
using opendir_function = DIR*(const char*);
using stat_function = int(const char*, struct stat*);
using stat64_function = int(const char*, struct stat64*);
using fstatat_function = int(int, const char*, struct stat*, int);
using fstatat64_function = int(int, const char*, struct stat64*, int);
using access_function = int(const char*, int);
using readlink_function = ssize_t(const char*, char*, std::size_t);
using realpath_function = char*(const char*, char*);
using realpath_chk_function = char*(const char*, char*, std::size_t);
using ioctl_function = int(int, unsigned long, ...);
using close_function = int(int);
using dup_function = int(int);
using dup2_function = int(int, int);
using dup3_function = int(int, int, int);
using fcntl_function = int(int, int, ...);

}  // namespace npurt::emu::shim::libc

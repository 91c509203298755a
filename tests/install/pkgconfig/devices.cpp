// SPDX-License-Identifier: Apache-2.0
// How many NPUs there are.
#include <npurt/device.hpp>

#include <cstdio>

int main() { std::printf("%zu devices\n", npurt::device::enumerate().size()); }

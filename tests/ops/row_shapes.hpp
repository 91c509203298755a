// SPDX-License-Identifier: Apache-2.0
// Matrices for operations on rows: 1, primes, both sides of where the layout of the rows changes, the main cases.
#pragma once

#include <cstddef>
#include <iterator>

namespace npurt::test {

struct row_shape {
  std::size_t rows, columns;
};

/// Small, since an emulated NPU computes them. Above 2,048 columns a row has a chunk of its own.
inline constexpr row_shape row_shapes[]{
    {1, 1},    {1, 2},     {2, 1},     {3, 2},    {5, 3},     {7, 5},    {11, 7},   {13, 11},  {17, 13},  {19, 17},
    {23, 19},  {29, 23},   {31, 29},   {37, 31},  {41, 32},   {43, 33},  {1, 37},   {47, 41},  {53, 43},  {59, 47},
    {61, 53},  {67, 59},   {71, 61},   {73, 63},  {79, 64},   {83, 65},  {89, 67},  {97, 96},  {101, 97}, {1, 127},
    {64, 128}, {65, 129},  {3, 251},   {33, 256}, {2, 257},   {32, 384}, {31, 509}, {33, 512}, {64, 512}, {1, 513},
    {7, 768},  {17, 1021}, {33, 1024}, {5, 1025}, {3, 1499},  {3, 1500}, {2, 2039}, {4, 2044}, {3, 2045}, {3, 2048},
    {2, 2049}, {5, 3001},  {2, 4093},  {2, 4095}, {33, 4096}, {4099, 1}, {2049, 2}, {1031, 16}};
static_assert(std::size(row_shapes) >= 50);

}  // namespace npurt::test

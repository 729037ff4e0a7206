// The disk by itself.
#pragma once

#include <string>

namespace bench {

// How often per second a page of 8 KiB, written again and again in place, can be synced by fdatasync: what limits
// commits one after the other. The median of 50, in a file of the directory that is gone afterwards.
double syncs_per_second(const std::string& directory);

}  // namespace bench

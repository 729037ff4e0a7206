// Locations as users write them: the rows of setup.locations and setup.location_grants.
//
// A location lets others read files of the server's machine. So whoever makes or changes one has the right to read all
// of them (pg_read_server_files), and owns the location or may become its owner. For a writable one it takes
// pg_write_server_files as well.
#pragma once

#include "pg/spi.h"

namespace etl {

// What setup.create_location() was given. Null values and nullopt leave a setting as it is, or at its default.
struct LocationSettings {
  std::optional<std::string> url;
  std::optional<std::vector<std::string>> file_types;  // empty: all that are known
  std::optional<std::string> name_pattern;             // empty: any name
  std::optional<std::vector<std::string>> exclusions;
  pg::Value min_size, max_size;  // int8
  pg::Value stable_for;          // interval
  pg::Value watch;               // bool
  pg::Value rescan_interval;     // interval
  pg::Value writable;            // bool
  pg::Value retention;           // interval
};

// Makes a location or changes it. Failure: insufficient_privilege; invalid_parameter_value for what is no setting;
// feature_not_supported for a URL of another kind. A warning where the directory is not there.
void create_location(const std::string& name, const LocationSettings& settings);

// These two raise undefined_object where there is no such location; the first dependent_objects_still_exist.
void drop_location(const std::string& name);
void grant_location(const std::string& name, const std::string& role);  // also where there is no such role

// Also for a role that is gone. Nothing to revoke is no error.
void revoke_location(const std::string& name, const std::string& role);

}  // namespace etl

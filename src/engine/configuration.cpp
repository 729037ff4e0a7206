#include "engine/configuration.h"

#include "pg/spi.h"

namespace etl {

namespace {

std::map<std::string, int> read_layers(plan::Catalog* catalog) {
  static pg::Statement read{"SELECT layer, execution = 'sequence' FROM setup.layers ORDER BY position", {}};
  const pg::Rows rows = read.run();
  std::map<std::string, int> places;
  for (int i = 0; i < rows.size(); ++i) {
    catalog->layers.push_back({rows.text(i, 0), rows.boolean(i, 1)});
    places[catalog->layers.back().name] = i;
  }
  return places;
}

}  // namespace

Configuration read_configuration(Oid caller) {
  static pg::Statement read_jobs{
      "SELECT layer, job_name, load_order, depends_on, is_enabled, pg_has_role($1, owner_oid, 'MEMBER'), owner, "
      "owner_oid, table_name, file_path, command, transaction, discovered_as FROM setup.load_jobs "
      "ORDER BY layer, job_name",
      {OIDOID}};
  static pg::Statement read_config{"SELECT config_key, config_value FROM setup.etl_config", {}};

  Configuration configuration;
  const std::map<std::string, int> layers = read_layers(&configuration.catalog);
  const pg::Rows jobs = read_jobs.run({pg::value(caller)});
  for (int i = 0; i < jobs.size(); ++i) {
    plan::Job job;
    job.layer = layers.at(jobs.text(i, 0));
    job.name = jobs.text(i, 1);
    job.load_order = jobs.int4(i, 2);
    job.depends_on = jobs.texts(i, 3);
    job.enabled = jobs.boolean(i, 4);
    job.permitted = jobs.boolean(i, 5);
    configuration.catalog.jobs.push_back(std::move(job));
    configuration.details.push_back({jobs.text(i, 6), jobs.oid(i, 7), jobs.text(i, 8), jobs.text(i, 9),
                                     jobs.text(i, 10), jobs.text(i, 11), jobs.text(i, 12)});
  }
  const pg::Rows config = read_config.run();
  for (int i = 0; i < config.size(); ++i) configuration.config[config.text(i, 0)] = config.text(i, 1);
  return configuration;
}

std::map<std::string, Oid> read_discoverable(const std::string& layer) {
  static pg::Statement read{"SELECT job_name, owner_oid FROM setup.discoverable_jobs($1)", {TEXTOID}};
  const pg::Rows rows = read.run({pg::value(std::string_view(layer))});
  std::map<std::string, Oid> owners;
  for (int i = 0; i < rows.size(); ++i) owners[rows.text(i, 0)] = rows.oid(i, 1);
  return owners;
}

}  // namespace etl

// Feeds changed texts to everything of src/states that reads what a user wrote, and looks for what must not be: a
// crash, undefined behaviour (by sanitizers), an exception of another kind than the headers tell of, an evaluation
// without bounds, or a result that contradicts itself.
//
// Inputs that are accepted where their source was not are kept and changed further.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "mutator.h"
#include "states/template.h"

namespace etl::states {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kSlow = std::chrono::seconds(20);  // of one evaluation, under sanitizers
constexpr size_t kLargestCorpus = 20'000;

class FuzzEntropy : public Entropy {
 public:
  explicit FuzzEntropy(Mutator& mutator) : mutator_(mutator) {}
  uint64_t next() override { return mutator_.bits(); }

 private:
  Mutator& mutator_;
};

[[noreturn]] void found(const std::string& what) {
  std::cerr << "finding: " << what << std::endl;
  std::abort();
}

// Whether `run` ended without one of the exceptions that it may end with.
template <typename Run>
bool succeeds(Run run) {
  const auto begin = Clock::now();
  bool succeeded = false;
  try {
    run();
    succeeded = true;
  } catch (const StateError& error) {
    if (error.failure().error->rfind("States.", 0) != 0) found("an error without a name");
  } catch (const PathSyntaxError&) {
  } catch (const IntrinsicSyntaxError&) {
  } catch (const std::exception& error) {
    found(std::string("unexpected exception: ") + error.what());
  }
  if (Clock::now() - begin > kSlow) found("too slow");
  return succeeded;
}

class Fuzzer {
 public:
  Fuzzer(uint64_t seed, std::string finding) : mutator_(seed), entropy_(mutator_), finding_(std::move(finding)) {
    for (const char* text :
         {"{}", "[]",
          R"({"a":{"b":[1,2.5,{"c":null}]},"items":[{"p":1,"n":"x"},{"p":2,"n":"yy","t":["u","v"]}],"s":"text"})",
          R"([[[["deep"]]],-0,1e-7,9007199254740993,"\ud83d\ude00",true])",
          R"json({"x.$":"$.a","y":[{"z.$":"States.UUID()"}]})json"}) {
      documents_.push_back(text);
    }
    for (const char* text : {"$",
                             "$.a.b[0]",
                             "$['a']['b'][-1].c",
                             "$.items[*].p",
                             "$..c",
                             "$..*",
                             "$.items[1:]",
                             "$.items[0,1]",
                             "$['a','s']",
                             "$.items[?(@.p > 1 && @.n)]",
                             "$.items[?(@.n =~ /y+/i || !(@.t))].p",
                             "$.items[?(@.n in ['x', \"z\"])]",
                             "$.items[?(@.t anyof ['u'] && @.t size 2 && @.t empty false)]",
                             "$.items[?(@.p == $.a.b[0])]",
                             "$.items.length()",
                             "$..p.sum()",
                             "$.a.b.append($.s, 1)",
                             "$.concat($.s, 'x')",
                             "$.items[?(@..* contains 1)]",
                             "$$.State.Name",
                             "$v.x"}) {
      paths_.push_back(text);
    }
    for (const char* text :
         {"States.Format('{} \\{\\} {}', $.a, $.s)", "States.Array()", "States.ArrayPartition($.items, 1)",
          "States.ArrayContains($.a.b, 2.5)", "States.ArrayRange(0, 10, 3)", "States.ArrayGetItem($.items, 0)",
          "States.ArrayLength($.items[*])", "States.ArrayUnique($..*)", "States.Base64Encode($.s)",
          "States.Base64Decode('dGV4dA==')", "States.Hash($.s, 'SHA-512')", "States.JsonMerge($.a, $, false)",
          "States.JsonToString($)", "States.StringToJson('[1, {\"a\": null}]')", "States.MathRandom(1, 9, 3)",
          "States.MathAdd($.a.b[0], -1.5)", "States.StringSplit('a,b;c', ';,')", "States.UUID()",
          "States.Array(States.Array(States.Format($.s)), null, true, 1e10)"}) {
      intrinsics_.push_back(text);
    }
  }

  // Takes all texts out of recorded definitions and inputs.
  void add_seeds(const std::string& file) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    const std::optional<Json> cases = parse_json(text.str());
    if (!cases || !cases->is_array()) return;
    for (const Json& recorded : *cases) {
      add_values(recorded.value("definition", Json()));
      documents_.push_back(compact(recorded.value("input", Json())));
      documents_.push_back(compact(recorded.value("definition", Json())));
    }
  }

  void run(std::chrono::seconds time) {
    const auto end = Clock::now() + time;
    size_t runs = 0;
    for (; Clock::now() < end; ++runs) step();
    std::cout << runs << " inputs, " << accepted_ << " accepted; corpus: " << documents_.size() << " documents, "
              << paths_.size() << " paths, " << intrinsics_.size() << " functions; no finding" << std::endl;
  }

 private:
  void add_values(const Json& value) {
    for (const auto& part : value.items()) {
      if (!part.value().is_string()) {
        if (part.value().is_structured()) add_values(part.value());
        continue;
      }
      const std::string text = part.value().get<std::string>();
      if (text.starts_with("$")) paths_.push_back(text);
      if (Intrinsic::looks_like_one(text) && text.find('(') != std::string::npos) intrinsics_.push_back(text);
    }
  }

  void step() {
    switch (mutator_.below(4)) {
      case 0:
        return try_text(&documents_, [&](const std::string& text) { return try_document(text); });
      case 1:
        return try_text(&paths_, [&](const std::string& text) { return try_path(text); });
      case 2:
        return try_text(&intrinsics_, [&](const std::string& text) { return try_intrinsic(text); });
      default:
        return try_text(&documents_, [&](const std::string& text) { return try_template(text); });
    }
  }

  template <typename Try>
  void try_text(std::vector<std::string>* corpus, Try attempt) {
    const std::string text = mutator_.mutate(*corpus);
    // Written before it is tried: after a crash it is all that is left.
    if (FILE* file = fopen(finding_.c_str(), "wb")) {
      fwrite(text.data(), 1, text.size(), file);
      fputs("\n--- with input ---\n", file);
      const std::string input = compact(input_);
      fwrite(input.data(), 1, input.size(), file);
      fclose(file);
    }
    if (!attempt(text)) return;
    ++accepted_;
    if (corpus->size() < kLargestCorpus && mutator_.below(20) == 0) corpus->push_back(text);
  }

  bool try_document(const std::string& text) {
    const std::optional<Json> value = parse_json(text);
    if (!value) return false;
    const std::string written = compact(*value);
    if (size_in_bytes(*value) != written.size()) found("a wrong size");
    if (extent(*value).depth > kDeepestJson) found("too deep a value");
    const std::optional<Json> again = parse_json(written);
    if (!again || !(*again == *value)) found("what was written cannot be read");
    input_ = *value;
    return true;
  }

  Scope scope() const { return {input_, context_, variables_}; }

  bool try_path(const std::string& text) {
    return succeeds([&] {
      const Path path = Path::parse(text);
      const std::optional<Json> value = path.find(scope());
      if (!path.is_definite() && value && !value->is_array()) found("an indefinite path without an array");
      if (!path.is_reference() || path.root() != Path::Root::kInput) return;
      const Json changed = path.put(input_, "put");
      if (path.find({changed, context_, variables_}) != Json("put")) found("what was put is not there");
    });
  }

  bool try_intrinsic(const std::string& text) {
    return succeeds([&] { check(Intrinsic::parse(text).evaluate(scope(), entropy_)); });
  }

  bool try_template(const std::string& text) {
    const std::optional<Json> source = parse_json(text);
    return source && succeeds([&] { check(Template::parse(*source).evaluate(scope(), entropy_)); });
  }

  void check(const Json& value) {
    if (size_in_bytes(value) != compact(value).size()) found("a wrong size");
  }

  Mutator mutator_;
  FuzzEntropy entropy_;
  std::string finding_;
  std::vector<std::string> documents_;
  std::vector<std::string> paths_;
  std::vector<std::string> intrinsics_;
  Json input_ = Json::object();
  Json context_ = *parse_json(R"({"State":{"Name":"Here"},"Execution":{"Input":{"a":[1]}}})");
  Json variables_ = *parse_json(R"({"v":{"x":[1,2,3]},"list":[{"a":1}]})");
  size_t accepted_ = 0;
};

}  // namespace
}  // namespace etl::states

int main(int argc, char** argv) {
  uint64_t seed = 1;
  std::chrono::seconds time(60);
  std::string finding = "finding";
  std::vector<std::string> seeds;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--seconds" && i + 1 < argc) {
      time = std::chrono::seconds(std::atol(argv[++i]));
    } else if (option == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else if (option == "--finding" && i + 1 < argc) {
      finding = argv[++i];
    } else {
      seeds.push_back(option);
    }
  }
  std::cout << "seed " << seed << std::endl;
  etl::states::Fuzzer fuzzer(seed, finding);
  for (const std::string& file : seeds) fuzzer.add_seeds(file);
  fuzzer.run(time);
}

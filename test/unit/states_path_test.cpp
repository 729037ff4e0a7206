#include "states/path.h"

#include <gtest/gtest.h>

#include "states_values.h"

namespace etl::states {
namespace {

struct Case {
  const char* path;
  const char* expected;  // JSON
};

void expect_all(const Json& input, const std::vector<Case>& cases) {
  Sight sight{input};
  for (const auto& [path, expected] : cases) {
    try {
      EXPECT_EQ(compact(Path::parse(path).evaluate(sight.scope())), compact(value_of(expected))) << path;
    } catch (const std::exception& error) {
      ADD_FAILURE() << path << ": " << error.what();
    }
  }
}

std::string cause_of(const char* path, const Json& input) {
  Sight sight{input};
  return failure_of([&] { Path::parse(path).evaluate(sight.scope()); });
}

const Json kShop = value_of(R"({
  "store": {
    "book": [
      {"category": "reference", "author": "Nigel Rees", "title": "Sayings", "price": 8.95},
      {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword", "price": 12.99},
      {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553", "price": 8.99},
      {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord", "isbn": "0-395", "price": 22.99}
    ],
    "bicycle": {"color": "red", "price": 19.95}
  },
  "expensive": 10
})");

TEST(StatesPath, LeadsToOnePlace) {
  expect_all(value_of(R"({"a":{"b":[1,[2,3],{"c":null}]},"x y":{"it's":true},"é":1,"a.b":2,"a-b":3,"":4,"1":5,"*":6})"),
             {{"$.a.b[0]", "1"},
              {"$['a']['b'][1][1]", "3"},
              {"$[\"a\"].b[-1].c", "null"},
              {"$.a['b'][-3]", "1"},
              {"$['x y']['it\\'s']", "true"},
              {"$['x y'][\"it's\"]", "true"},
              {"$.é", "1"},
              {"$['\\u00e9']", "1"},
              {"$['a.b']", "2"},
              {"$.a-b", "3"},
              {"$['']", "4"},
              {"$.1", "5"},
              {"$['*']", "6"},
              {"$[ 'a' ][ 'b' ][ 0 ]", "1"},
              {"$.a.b[1].length()", "2"},
              {"$.['a'].b[0]", "1"}});
}

TEST(StatesPath, LeadsIntoContextAndVariables) {
  Sight sight{value_of("{'a':1}"), value_of("{'State':{'Name':'S'},'a':2}"), value_of("{'list':[1,2],'a_1':{'b':3}}")};
  const auto evaluate = [&](const char* path) { return compact(Path::parse(path).evaluate(sight.scope())); };
  EXPECT_EQ(evaluate("$"), R"({"a":1})");
  EXPECT_EQ(evaluate("$$.State.Name"), R"("S")");
  EXPECT_EQ(evaluate("$$['a']"), "2");
  EXPECT_EQ(evaluate("$$"), compact(sight.context));
  EXPECT_EQ(evaluate("$list"), "[1,2]");
  EXPECT_EQ(evaluate("$list[1]"), "2");
  EXPECT_EQ(evaluate("$list[*]"), "[1,2]");
  EXPECT_EQ(evaluate("$a_1.b"), "3");
  EXPECT_EQ(Path::parse("$list[1]").variable(), "list");
  EXPECT_EQ(Path::parse("$list").root(), Path::Root::kVariable);
  EXPECT_EQ(Path::parse("$$.a").root(), Path::Root::kContext);
  EXPECT_EQ(Path::parse("$.a").root(), Path::Root::kInput);
  EXPECT_NE(failure_of([&] { Path::parse("$none.b").evaluate(sight.scope()); }), "");
}

TEST(StatesPath, SaysWhatIsMissing) {
  const Json input = value_of("{'a':{'b':[1],'n':null},'s':'text'}");
  EXPECT_EQ(cause_of("$.x", input), "States.Runtime: Invalid path '$.x' : No results for path: $['x']");
  EXPECT_EQ(cause_of("$.no.such.path", input),
            "States.Runtime: Invalid path '$.no.such.path' : Missing property in path $['no']");
  EXPECT_EQ(cause_of("$.a.x.y", input),
            "States.Runtime: Invalid path '$.a.x.y' : Missing property in path $['a']['x']");
  EXPECT_EQ(cause_of("$.a.x", input), "States.Runtime: Invalid path '$.a.x' : No results for path: $['a']['x']");
  EXPECT_EQ(cause_of("$.a.b[3]", input),
            "States.Runtime: Invalid path '$.a.b[3]' : No results for path: $['a']['b'][3]");
  EXPECT_EQ(cause_of("$.a.b[-2]", input),
            "States.Runtime: Invalid path '$.a.b[-2]' : No results for path: $['a']['b'][-2]");
  EXPECT_EQ(cause_of("$.a.b[3].c", input),
            "States.Runtime: Invalid path '$.a.b[3].c' : Expected to find an object with property ['c'] in path "
            "$['a']['b'][3] but found 'null'");
  EXPECT_EQ(cause_of("$.s.t", input),
            "States.Runtime: Invalid path '$.s.t' : Expected to find an object with property ['t'] in path $['s'] but "
            "found 'string'");
  EXPECT_EQ(cause_of("$.s[0].b", input),
            "States.Runtime: Invalid path '$.s[0].b' : Filter: [0]['b'] can only be applied to arrays. Current context "
            "is: string");
  EXPECT_EQ(cause_of("$.a.n[0]", input),
            "States.Runtime: Invalid path '$.a.n[0]' : Filter: [0] can only be applied to arrays. Current context is: "
            "null");
}

TEST(StatesPath, FindsNothingWithoutAnError) {
  const Sight sight{value_of("{'a':[null]}")};
  EXPECT_EQ(Path::parse("$.b").find(sight.scope()), std::nullopt);
  EXPECT_EQ(Path::parse("$.a[1]").find(sight.scope()), std::nullopt);
  EXPECT_EQ(Path::parse("$.a[0]").find(sight.scope()), Json(nullptr));
  EXPECT_EQ(Path::parse("$.b[*]").find(sight.scope()), Json::array());
  EXPECT_EQ(Path::parse("$.a[1]").match(sight.scope()).kind, Path::Match::Kind::kBeyondEnd);
  EXPECT_EQ(Path::parse("$.b").match(sight.scope()).kind, Path::Match::Kind::kMissing);
}

TEST(StatesPath, GathersWhatAnIndefinitePathMatches) {
  expect_all(value_of("{'a':[{'x':1},{'y':2},{'x':3}],'b':{'c':4,'d':[5]},'n':7}"),
             {{"$.a[*].x", "[1,3]"},
              {"$.a.*", "[{'x':1},{'y':2},{'x':3}]"},
              {"$.b.*", "[4,[5]]"},
              {"$.b[*]", "[4,[5]]"},
              {"$.a[0,2]", "[{'x':1},{'x':3}]"},
              {"$.a[0,2].x", "[1,3]"},
              {"$.a[0,9]", "[{'x':1},null]"},  // beyond the end is null, as the service's library has it
              {"$.n[*]", "[]"},
              {"$.n.*", "[]"},
              {"$.a[*][*]", "[1,2,3]"},
              {"$.a[*]['x','y']", "[{'x':1},{'y':2},{'x':3}]"},
              {"$.a[?(@.x)]", "[{'x':1},{'x':3}]"}});
}

TEST(StatesPath, GivesAnEmptyArrayWhereNothingMatches) {
  for (const char* path :
       {"$[*]", "$.items[*]", "$.item.items[*]", "$.item.items[1:]", "$.item.items[1:5]", "$.items[*].value",
        "$.items[1:].value", "$.items[:1].value", "$..x", "$.items[?(@.a)]", "$.items[0,1]", "$.*"}) {
    expect_all(Json::object(), {{path, "[]"}});
  }
}

TEST(StatesPath, MergesNames) {
  expect_all(value_of("{'a':1,'b':2,'c':{'d':3}}"), {{"$['a','b']", "{'a':1,'b':2}"},
                                                     {"$['a', 'x']", "{'a':1}"},
                                                     {"$['x','y']", "{}"},
                                                     {"$['c',\"a\"]", "{'a':1,'c':{'d':3}}"}});
  Sight sight{value_of("{'a':1,'c':{'d':3}}")};
  EXPECT_THROW(Path::parse("$['a','c'].d").evaluate(sight.scope()), StateError);
  EXPECT_TRUE(Path::parse("$['a','b']").is_definite());
  EXPECT_FALSE(Path::parse("$['a','b'].c").is_definite());
}

TEST(StatesPath, Slices) {
  expect_all(value_of("[0,1,2,3,4]"), {
                                          {"$[1:]", "[1,2,3,4]"},
                                          {"$[:2]", "[0,1]"},
                                          {"$[1:3]", "[1,2]"},
                                          {"$[-2:]", "[3,4]"},
                                          {"$[:-2]", "[0,1,2]"},
                                          {"$[-9:]", "[0,1,2,3,4]"},
                                          {"$[:9]", "[0,1,2,3,4]"},
                                          {"$[:-9]", "[]"},
                                          {"$[7:]", "[]"},
                                          {"$[3:1]", "[]"},
                                          {"$[2:2]", "[]"},
                                          {"$[-4:-2]", "[1,2]"},
                                          {"$[1:-1]", "[]"},         // Jayway: not from the end
                                          {"$[-2:1]", "[3,4,0]"},    // Jayway: from the end on, then from the beginning
                                          {"$[0:4:2]", "[0,1,2,3]"}  // Jayway: the step has no effect
                                      });
  expect_all(value_of("[]"), {{"$[0:1]", "[]"}, {"$[-1:]", "[]"}, {"$[:1]", "[]"}});
}

TEST(StatesPath, ScansDeep) {
  expect_all(kShop, {{"$..isbn", "['0-553','0-395']"},
                     {"$..price", "[19.95,8.95,12.99,8.99,22.99]"},
                     {"$.store..color", "['red']"},
                     {"$..book[0].title", "['Sayings']"},
                     {"$..book[-1:].title", "['The Lord']"},
                     {"$..book[0,1].price", "[8.95,12.99]"},
                     {"$..book[?(@.isbn)].price", "[8.99,22.99]"},
                     {"$..[?(@.isbn)].price", "[8.99,22.99]"},
                     {"$..[?(@.color)]", "[{'color':'red','price':19.95}]"},
                     {"$..['color','price']", "[{'color':'red','price':19.95}]"},
                     {"$..[3].author", "['J. R. R. Tolkien']"},
                     {"$..nothing", "[]"}});
  expect_all(value_of("{'a':[1,{'b':2}]}"),
             {{"$..*", "[[1,{'b':2}],1,{'b':2},2]"}, {"$..[*]", "[[1,{'b':2}],1,{'b':2},2]"}});
  expect_all(value_of("{'a':{'a':{'a':1}}}"), {{"$..a", "[{'a':{'a':1}},{'a':1},1]"}, {"$..a..a", "[{'a':1},1,1]"}});
}

TEST(StatesPath, Filters) {
  expect_all(kShop,
             {{"$.store.book[?(@.price < 10)].title", "['Sayings','Moby Dick']"},
              {"$.store.book[?(@.price <= 8.95)].title", "['Sayings']"},
              {"$.store.book[?(@.price < $.expensive)].title", "['Sayings','Moby Dick']"},
              {"$.store.book[?(@.category == 'fiction' && @.price > 20)].title", "['The Lord']"},
              {"$.store.book[?(@.category == \"reference\" || @.isbn == '0-395')].title", "['Sayings','The Lord']"},
              {"$.store.book[?(!@.isbn)].title", "['Sayings','Sword']"},
              {"$.store.book[?(!(@.price < 10 || @.price > 20))].title", "['Sword']"},
              {"$.store.book[?((@.price < 10) && (@['isbn']))].title", "['Moby Dick']"},
              {"$.store.book[?(@.author =~ /.*REES/i)].title", "['Sayings']"},
              {"$.store.book[?(@.author =~ /Rees/)].title", "[]"},  // the whole text must match
              {"$.store.book[?(@.author != 'Nigel Rees')].price", "[12.99,8.99,22.99]"},
              {"$.store.book[?(@.title in ['Sword', 'Moby Dick'])].price", "[12.99,8.99]"},
              {"$.store.book[?(@.title nin ['Sword', 'Moby Dick'])].price", "[8.95,22.99]"},
              {"$.store.book[?(@.title contains 'S')].price", "[8.95,12.99]"},
              {"$.store.book[?('Sword' == @.title)].price", "[12.99]"},
              {"$.store.book[?(10 > @.price)].price", "[8.95,8.99]"},
              {"$.store.book[?(@.title.length() == 5)]", "[]"},
              {"$.store.book[?(@.title size 5)].title", "['Sword']"},
              {"$.store.bicycle[?(@.color == 'red')].price", "[19.95]"},
              {"$.store.book[0][?(@.price > 1)].title", "['Sayings']"}});
}

TEST(StatesPath, FiltersByLists) {
  const Json input =
      value_of("{'l':[{'t':['a','b'],'e':[]},{'t':['b'],'e':''},{'t':[],'e':'x'},{'u':1}],'w':['a','b','c']}");
  expect_all(input, {{"$.l[?(@.t subsetof ['a','b','c'])].t", "[['a','b'],['b'],[]]"},
                     {"$.l[?(@.t anyof ['a'])].t", "[['a','b']]"},
                     {"$.l[?(@.t noneof ['a'])].t", "[['b'],[]]"},
                     {"$.l[?(@.t all ['a','b'])].t", "[['a','b']]"},
                     {"$.l[?(@.t contains 'b')].t", "[['a','b'],['b']]"},
                     {"$.l[?(@.t size 1)].t", "[['b']]"},
                     {"$.l[?(@.e empty true)].e", "[[],'']"},
                     {"$.l[?(@.e empty false)].e", "['x']"},
                     {"$.l[?(@.t subsetof $.w)].t", "[['a','b'],['b'],[]]"},
                     {"$.l[?('a' in @.t)].t", "[['a','b']]"},
                     {"$.l[?(@.u in [1, 2])]", "[{'u':1}]"},
                     {"$.l[?(@.u nin $.missing)]", "[]"},
                     {"$.l[?(@.t[*] anyof ['b'])].t", "[['a','b'],['b']]"}});
}

TEST(StatesPath, ComparesAsTheServicesLibraryDoes) {
  const Json input = value_of(R"([{"v":1},{"v":1.0},{"v":"1"},{"v":true},{"v":null},{"v":[1]},{"v":{"a":1}},{}])");
  expect_all(input, {{"$[?(@.v == 1)].v", "[1,1.0,'1']"},
                     {"$[?(@.v === 1)].v", "[1,1.0]"},
                     {"$[?(@.v == '1')].v", "[1,1.0,'1']"},
                     {"$[?(@.v === '1')].v", "['1']"},
                     {"$[?(@.v == true)].v", "[true]"},
                     {"$[?(@.v == null)]", "[{'v':null}]"},
                     {"$[?(@.v == [1])].v", "[[1]]"},
                     {"$[?(@.v == {'a': 1})].v", "[{'a':1}]"},
                     {"$[?(@.v != 1)].v", "[true,null,[1],{'a':1}]"},
                     {"$[?(@.v !== 1)].v", "['1',true,null,[1],{'a':1}]"},
                     {"$[?(@.v > 0)].v", "[1,1.0]"},
                     {"$[?(@.v >= 'a')].v", "[]"},
                     {"$[?(@.v =~ /1/)].v", "[1,'1',[1]]"},
                     {"$[?(@.x == @.y)]", "[]"},
                     {"$[?(@.v)].v", "[1,1.0,'1',true,null,[1],{'a':1}]"},
                     {"$[?(@.v[0] == 1)].v", "[[1]]"},
                     {"$[?(@.v.a)].v", "[{'a':1}]"}});
}

TEST(StatesPath, CallsFunctions) {
  const Json input = value_of("{'n':[1,2,3,4],'m':5,'s':'text','o':{'x':1,'y':[7,7,8]},'w':['a','b'],'e':[]}");
  expect_all(input, {{"$.n.min()", "1.0"},
                     {"$.n.max()", "4.0"},
                     {"$.n.sum()", "10.0"},
                     {"$.n.avg()", "2.5"},
                     {"$.n.stddev()", "1.118033988749895"},
                     {"$.n.length()", "4"},
                     {"$.n.size()", "4"},
                     {"$.o.length()", "2"},
                     {"$.e.length()", "0"},
                     {"$.o.keys()", "['x','y']"},
                     {"$.w.concat()", "'ab'"},
                     {"$.concat($.w, \"-\", $.s)", "'ab-text'"},
                     {"$.n.sum($.m, 10)", "25.0"},
                     {"$.sum(1, 2, $.n)", "13.0"},
                     {"$.w.append('c')", "['a','b','c']"},
                     {"$.w.append($.m)", "['a','b',5]"},
                     {"$.n.first()", "1"},
                     {"$.n.last()", "4"},
                     {"$.n.index(1)", "2"},
                     {"$.n.index(-2)", "3"},
                     {"$.o.y.distinct()", "[7,8]"},
                     {"$..y.length()", "1"},
                     {"$..x.sum()", "1.0"},
                     {"$.length($.n)", "4"},
                     {"$[?(@.length() == 4)]", "[]"}});
  EXPECT_EQ(cause_of("$.e.sum()", input),
            "States.Runtime: Invalid path '$.e.sum()' : Aggregation function attempted to calculate value using empty "
            "array");
  EXPECT_NE(cause_of("$.n.index(9)", input), "");
  EXPECT_NE(cause_of("$.n.index(-9)", input), "");
  EXPECT_NE(cause_of("$.e.first()", input), "");
  EXPECT_NE(cause_of("$.sum($.missing)", input), "");
  EXPECT_NE(cause_of("$.s.length()", input), "");  // nothing, in the service's library
}

TEST(StatesPath, RefusesWhatIsNoPath) {
  for (const char* text : {"",
                           "a",
                           ".a",
                           "@.a",
                           " $.a",
                           "$.",
                           "$..",
                           "$a..",
                           "$.a.",
                           "$.a..",
                           "$.a[",
                           "$.a]",
                           "$[]",
                           "$['a'",
                           "$['a",
                           "$['a]",
                           "$[a]",
                           "$.a b",
                           "$[:]",
                           "$[1,]",
                           "$[,1]",
                           "$[1,'a']",
                           "$['a',1]",
                           "$[99999999999]",
                           "$[1.5]",
                           "$['a' 'b']",
                           "$[?]",
                           "$[?()]",
                           "$[?(@.a]",
                           "$[?(@.a",
                           "$[?(@.a == )]",
                           "$[?(== 1)]",
                           "$[?(1)]",
                           "$[?(true)]",
                           "$[?(@.a = 1)]",
                           "$[?(@.a like 'x')]",
                           "$[?(@.a && )]",
                           "$[?(@.a || || @.b)]",
                           "$[?@.a]",
                           "$[?((@.a)]",
                           "$.f()",
                           "$.length(",
                           "$.a.sum(1",
                           "$.a.sum(1 2)",
                           "$.index()",
                           "$..length()",
                           "$....a",
                           "$..[",
                           "$$$",
                           "$1a",
                           "$.a[?(@.b =~ /(/)]",
                           "$.a[?(@.b =~ /a/q)]",
                           "$.a[?(@.b =~ /(a)\\1/)]",
                           "$.a[?(@.b =~ /a",
                           "$[?(@.a == 'x)]",
                           "$[?(@.a in [1,)]",
                           "$['\\ud800']",
                           "$['\\u12']",
                           "$.a\xFF",
                           "$[?(!@.a == 1)]",
                           "$.a.b()",
                           "$[(@.length-1)]"}) {
    EXPECT_THROW(Path::parse(text), PathSyntaxError) << text;
  }
}

TEST(StatesPath, SaysWhatIsWrongWhere) {
  try {
    Path::parse("$.a[x]");
    FAIL();
  } catch (const PathSyntaxError& error) {
    EXPECT_STREQ(error.what(),
                 "invalid path \"$.a[x]\" at offset 4: expected an index, a slice, a name in quotes, \"*\" or \"?\"");
  }
}

TEST(StatesPath, KnowsDefiniteAndReferencePaths) {
  struct Kind {
    const char* path;
    bool definite;
    bool reference;
  };
  for (const auto& [path, definite, reference] :
       {Kind{"$", true, true}, Kind{"$.a['b'][0]", true, true}, Kind{"$.a[-1]", true, false},
        Kind{"$.a[*]", false, false}, Kind{"$..a", false, false}, Kind{"$.a[0,1]", false, false},
        Kind{"$.a[1:]", false, false}, Kind{"$[?(@.a)]", false, false}, Kind{"$['a','b']", true, false},
        Kind{"$.a.length()", true, false}, Kind{"$..a.sum()", true, false}, Kind{"$.a[*].sum()", false, false},
        Kind{"$['a:b?@,']", true, true}}) {
    EXPECT_EQ(Path::parse(path).is_definite(), definite) << path;
    EXPECT_EQ(Path::parse(path).is_reference(), reference) << path;
  }
}

TEST(StatesPath, PutsValues) {
  struct Put {
    const char* path;
    const char* target;
    const char* expected;
  };
  for (const auto& [path, target, expected] :
       {Put{"$", "{'a':1}", "'v'"}, Put{"$.a", "{'a':1,'b':2}", "{'a':'v','b':2}"},
        Put{"$.c", "{'a':1}", "{'a':1,'c':'v'}"}, Put{"$.a.b.c", "{}", "{'a':{'b':{'c':'v'}}}"},
        Put{"$.a.b", "{'a':{'x':1}}", "{'a':{'b':'v','x':1}}"}, Put{"$['x y']", "{}", "{'x y':'v'}"},
        Put{"$.a[1]", "{'a':[1,2]}", "{'a':[1,'v']}"}, Put{"$[0].a", "[{}]", "[{'a':'v'}]"},
        Put{"$.a[0].b.c", "{'a':[{}]}", "{'a':[{'b':{'c':'v'}}]}"}}) {
    EXPECT_EQ(Path::parse(path).put(value_of(target), "v"), value_of(expected)) << path;
  }
}

TEST(StatesPath, PutsNothingWhereThereIsNoPlace) {
  for (const auto& [path, target] : {std::pair{"$.a", "'text'"},
                                     {"$.a", "5"},
                                     {"$.a", "[1]"},
                                     {"$.a", "null"},
                                     {"$.a.b", "{'a':5}"},
                                     {"$.a.b", "{'a':null}"},
                                     {"$.a.b", "{'a':[]}"},
                                     {"$.a[0]", "{}"},
                                     {"$.a[0]", "{'a':{}}"},
                                     {"$.a[1]", "{'a':[1]}"},
                                     {"$[0]", "{}"}}) {
    EXPECT_EQ(failure_of([&] { Path::parse(path).put(value_of(target), 1); }),
              "States.ResultPathMatchFailure: Unable to apply ReferencePath " + std::string(path) + " to input " +
                  compact(value_of(target)));
  }
}

TEST(StatesPath, BoundsItsWork) {
  std::string many = "[0";
  for (int i = 0; i < 5'000; ++i) many += ",[" + std::to_string(i) + "]";
  Sight sight{value_of(many + "]")};
  const auto fails = [&](const char* path) {
    return failure_of([&] { Path::parse(path).evaluate(sight.scope()); }) != "";
  };
  EXPECT_TRUE(fails("$[?(@ in $[?(@ in $[?(@ nin $[*])])])]"));
  EXPECT_FALSE(fails("$[?(@[0] in [1, 2, 3])]"));

  Json deep = 1;
  for (int i = 0; i < kDeepestJson - 1; ++i) deep = Json{{"a", std::move(deep)}};
  sight.input = deep;
  EXPECT_FALSE(fails("$..a"));
  EXPECT_TRUE(fails("$..a..a..a..a..a"));
  EXPECT_TRUE(fails("$..*..*..*"));
  sight.input = Json{{"t", std::string(100'000, 'x')}, {"d", deep}};
  std::string path = "$['t'";
  for (int i = 0; i < 5'000; ++i) path += ",'t'";
  EXPECT_FALSE(fails((path + "]").c_str()));
  std::string indexes = "$[0";
  for (int i = 0; i < 5'000; ++i) indexes += ",0";
  sight.input = Json::array({std::string(100'000, 'x')});
  EXPECT_TRUE(fails((indexes + "]").c_str()));
}

TEST(StatesPath, RefusesHostileTexts) {
  const auto repeated = [](const std::string& begin, const std::string& part, int times, const std::string& end) {
    std::string text = begin;
    for (int i = 0; i < times; ++i) text += part;
    return text + end;
  };
  for (const std::string& text :
       {repeated("$", ".a", 2'000, ""), repeated("$", "[0]", 2'000, ""), repeated("$[?(", "(", 10'000, ""),
        repeated("$[?(", "!", 10'000, "@.a)]"), repeated("$", "[?(@", 5'000, ""), repeated("$", ".sum($", 5'000, ""),
        repeated("$[?(@.a in ", "[", 10'000, ""), repeated("$[?(@.a == ", "{'a':", 6'000, ""),
        repeated("$.", "a", 40'000, ""), repeated("$[?(@.a =~ /", "(", 10'000, "/)]"),
        repeated("$[?(@.a =~ /", "(a{1000}){1000}", 3, "/)]"), repeated("$[?(@.a =~ /", "a{1000}", 10, "/)]"),
        repeated("$[?(@.a =~ /a", "*", 5'000, "/)]")}) {
    EXPECT_THROW(Path::parse(text), PathSyntaxError) << text.substr(0, 60);
  }
}

}  // namespace
}  // namespace etl::states

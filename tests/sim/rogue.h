// An insider that does not keep to the rules: certified by its chapter, it calls one node and says
// whatever it likes. What it is sent in return must be what its chapter may hold.
#pragma once

#include "crypto/node_key.h"
#include "replication/format/frame.h"
#include "replication/format/packing.h"
#include "tests/sim/sim_network.h"

#include <map>
#include <memory>
#include <vector>

namespace chapterd::sim {

class World;

class Rogue final : public Socket {
 public:
  // `key` may be of a stranger, whom no chapter certified.
  Rogue(World& world, int machine, int chapter, std::shared_ptr<SigningKey> key, bool certified);

  // Connects to a machine that listens and says a number of things, each in its own time. `branch`
  // tells two histories of its feed apart.
  void call(int machine, std::uint64_t salt, int branch);

  void arrived(Bytes&& bytes) override;

  void can_write() override {}

  void broken() override { connection_ = 0; }

  [[nodiscard]] bool is_certified() const { return certified_; }

 private:
  void say(const Frame& frame);
  [[nodiscard]] Frame hello(testing::SeededRandom& random) const;
  [[nodiscard]] Frame lie(testing::SeededRandom& random) const;
  [[nodiscard]] std::vector<Bytes> certificates() const;
  [[nodiscard]] Frame feed(Audience audience, int branch) const;
  void check(const Frame& frame);

  World& world_;
  const int machine_;
  const int chapter_;
  const std::shared_ptr<SigningKey> key_;
  const bool certified_;
  ConnectionId connection_ = 0;
  FrameParser parser_;
  std::map<Audience, Unpacker> unpackers_;
};

}  // namespace chapterd::sim

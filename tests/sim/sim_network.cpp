// Streams cut into parts, each with its time of arrival.
#include "tests/sim/sim_network.h"

#include <algorithm>

namespace chapterd::sim {
namespace {

constexpr std::int64_t again_ms = 700;

int side_of(int machine, int first) {
  return machine == first ? 0 : 1;
}

}  // namespace

ConnectionId Network::connect(int from, int to, Socket* dialler, Socket* listener) {
  const ConnectionId id = next_++;
  Connection& made = connections_[id];
  made.ends[0].machine = from;
  made.ends[0].socket = dialler;
  made.ends[1].machine = to;
  made.ends[1].socket = listener;
  return id;
}

Network::Connection* Network::find(ConnectionId id) {
  const auto at = connections_.find(id);
  return at == connections_.end() ? nullptr : &at->second;
}

std::vector<ConnectionId> Network::open_connections() const {
  std::vector<ConnectionId> open;
  for (const auto& [id, each] : connections_)
    if (!each.is_cut && each.ends[0].socket != nullptr && each.ends[1].socket != nullptr)
      open.push_back(id);
  return open;
}

bool Network::may_send(ConnectionId id, int machine) const {
  const auto at = connections_.find(id);
  if (at == connections_.end() || at->second.is_cut) return false;
  return at->second.ends[side_of(machine, at->second.ends[0].machine)].under_way_bytes < window;
}

void Network::send(ConnectionId id, int machine, Bytes&& bytes) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->is_cut || bytes.empty()) return;
  const int side = side_of(machine, connection->ends[0].machine);
  End& end = connection->ends[side];
  const Route& way = route(connection->ends[0].machine, connection->ends[1].machine);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t size =
        std::min(bytes.size() - at, random_.below(8) == 0 ? 1 + random_.below(1400) : 65'536);
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    Bytes part(begin, begin + static_cast<std::ptrdiff_t>(size));
    at += size;
    end.under_way.push_back(std::move(part));
    end.under_way_bytes += size;
    Instant starts = std::max(end.free_at, agenda_.now());
    if (way.bits_per_second > 0)
      starts = starts.plus_ms(static_cast<std::int64_t>(size) * 8000 / way.bits_per_second);
    end.free_at = starts;
    const auto jitter =
        static_cast<std::int64_t>(random_.below(1 + static_cast<std::size_t>(way.delay_ms) / 2));
    end.arrives_at = std::max(end.arrives_at, starts.plus_ms(way.delay_ms + jitter));
    agenda_.at(end.arrives_at, [this, id, to = 1 - side] { deliver_next(id, to); });
  }
}

// Each part that was sent calls this once, whichever part is the next by then.
void Network::deliver_next(ConnectionId id, int to) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->is_cut || connection->swallows) return;
  End& from = connection->ends[1 - to];
  End& end = connection->ends[to];
  if (route(from.machine, end.machine).is_down) {
    agenda_.after_ms(again_ms, [this, id, to] { deliver_next(id, to); });
    return;
  }
  if (end.socket == nullptr) return cut(id);  // nobody reads any more: the sender is told
  Bytes part = std::move(from.under_way.front());
  from.under_way.pop_front();
  from.under_way_bytes -= part.size();
  ++messages_;
  bytes_ += part.size();
  if (watcher) watcher(from.machine, end.machine, id, part);
  end.socket->arrived(std::move(part));
  connection = find(id);
  if (connection == nullptr || connection->is_cut) return;
  if (connection->ends[1 - to].socket != nullptr) connection->ends[1 - to].socket->can_write();
}

void Network::close(ConnectionId id, int machine) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->is_cut) return;
  const int side = side_of(machine, connection->ends[0].machine);
  End& end = connection->ends[side];
  end.socket = nullptr;
  const Instant told = std::max(end.arrives_at, agenda_.now().plus_ms(1));
  agenda_.at(told, [this, id, to = 1 - side] { hang_up(id, to); });
}

void Network::hang_up(ConnectionId id, int to) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->is_cut) return;
  if (connection->swallows) return;
  const Route& way = route(connection->ends[0].machine, connection->ends[1].machine);
  if (way.is_down || !connection->ends[1 - to].under_way.empty()) {
    agenda_.after_ms(again_ms, [this, id, to] { hang_up(id, to); });
    return;
  }
  connection->is_cut = true;
  Socket* socket = std::exchange(connection->ends[to].socket, nullptr);
  connections_.erase(id);
  if (socket != nullptr) socket->broken();
}

void Network::vanish(ConnectionId id, int machine) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  const int side = side_of(machine, connection->ends[0].machine);
  connection->ends[side].socket = nullptr;
  connection->swallows = true;
  if (connection->ends[1 - side].socket == nullptr) connections_.erase(id);
}

void Network::cut(ConnectionId id) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->is_cut) return;
  connection->is_cut = true;
  Socket* sockets[2] = {connection->ends[0].socket, connection->ends[1].socket};
  connections_.erase(id);
  for (Socket* socket : sockets)
    if (socket != nullptr) socket->broken();
}

void Network::cut_all_of(int machine) {
  for (const ConnectionId id : open_connections()) {
    const Connection* connection = find(id);
    if (connection == nullptr) continue;
    if (connection->ends[0].machine == machine || connection->ends[1].machine == machine) cut(id);
  }
}

void Network::make_half_open(int machine) {
  for (auto& [id, connection] : connections_) {
    if (connection.ends[0].machine == machine || connection.ends[1].machine == machine)
      connection.swallows = true;
  }
}

void Network::heal() {
  for (auto& [ends, way] : routes_) way = Route{};
}

}  // namespace chapterd::sim

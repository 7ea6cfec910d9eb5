// Files, their unsynced changes and what becomes of these.
#include "tests/sim/sim_disk.h"

#include "tests/sim/sim_vfs.h"

#include <algorithm>
#include <utility>

namespace chapterd::sim {
namespace {

constexpr std::size_t sector_bytes = 512;

std::uint64_t disks_made = 0;  // for names that are taken once

void put(Bytes& to, ByteView bytes, std::size_t offset) {
  if (to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

int SimFile::read(std::uint8_t* to, std::size_t count, std::size_t offset) const {
  const std::size_t there = offset >= now_.size() ? 0 : std::min(count, now_.size() - offset);
  std::copy_n(now_.begin() + static_cast<std::ptrdiff_t>(std::min(offset, now_.size())), there, to);
  std::fill(to + there, to + count, std::uint8_t{0});
  return static_cast<int>(there);
}

void SimFile::write(ByteView bytes, std::size_t offset) {
  put(now_, bytes, offset);
  unsynced_.push_back({false, offset, Bytes(bytes.begin(), bytes.end())});
}

void SimFile::truncate(std::size_t size) {
  now_.resize(size);
  unsynced_.push_back({true, size, {}});
}

void SimFile::sync() {
  for (const Change& change : unsynced_) apply(durable_, change);
  unsynced_.clear();
}

void SimFile::apply(Bytes& to, const Change& change) {
  if (change.is_truncation) {
    to.resize(change.offset);
  } else {
    put(to, change.bytes, change.offset);
  }
}

// Each sector of the write arrives or not.
void SimFile::apply_torn(Bytes& to, const Change& change, SeededRandom& random) {
  if (change.is_truncation) {
    if (random.below(2) == 0) apply(to, change);
    return;
  }
  const std::size_t end = change.offset + change.bytes.size();
  for (std::size_t at = change.offset; at < end;) {
    const std::size_t next = std::min(end, (at / sector_bytes + 1) * sector_bytes);
    if (random.below(2) == 0)
      put(to, ByteView(change.bytes).subspan(at - change.offset, next - at), at);
    at = next;
  }
}

void SimFile::lose_power(SeededRandom& random) {
  const std::size_t manner = random.below(5);
  // Kept: 0 none, 1 all, 2 the first ones and a part of the next, 3 any sectors, 4 any writes.
  const std::size_t kept = manner == 2 ? random.below(unsynced_.size() + 1) : 0;
  for (std::size_t i = 0; i < unsynced_.size(); ++i) {
    const Change& change = unsynced_[i];
    if (manner == 1 || (manner == 2 && i < kept)) {
      apply(durable_, change);
    } else if (manner == 3 || (manner == 2 && i == kept)) {
      apply_torn(durable_, change, random);
    } else if (manner == 4 && random.below(2) == 0) {
      apply(durable_, change);
    }
  }
  unsynced_.clear();
  now_ = durable_;
}

SimFile SimFile::copy() const {
  SimFile copy;
  copy.now_ = now_;
  copy.durable_ = durable_;
  copy.unsynced_ = unsynced_;
  copy.is_named_durably = is_named_durably;
  return copy;
}

SimFile SimFile::restored() const {
  SimFile file;
  file.now_ = now_;
  file.durable_ = now_;
  file.is_named_durably = true;
  return file;
}

struct SimDisk::Registration {
  Registration(SimDisk& disk, const std::string& name) : vfs(disk, name) {}

  RegisteredVfs vfs;
};

SimDisk::SimDisk(std::uint64_t seed)
    : random_(seed),
      name_("sim-" + std::to_string(++disks_made)),
      registration_(std::make_unique<Registration>(*this, name_)) {}

SimDisk::~SimDisk() = default;

void SimDisk::processes_died() {
  ++generation_;
  std::erase_if(files, [](const auto& each) { return each.first.starts_with(temporary); });
  for (auto& [name, file] : files) {
    file->locks = FileLocks{};
    file->memory = std::make_shared<SharedMemory>();
  }
  faults.dies_after = -1;
  faults.probe_after = -1;
  faults.bad_writes = 0;
  faults.bad_syncs = 0;
}

void SimDisk::remove(const std::string& name) {
  const auto at = files.find(name);
  if (at == files.end()) return;
  if (at->second->is_named_durably) removed_[name] = at->second;
  files.erase(at);
}

void SimDisk::rename(const std::string& from, const std::string& to) {
  const auto at = files.find(from);
  const auto before = files.find(to);
  replaced_.try_emplace(to, before == files.end() ? nullptr : before->second);
  at->second->is_named_durably = true;  // under the one name or the other
  files[to] = at->second;
  files.erase(from);
}

void SimDisk::put_back(const SimDisk& other, const std::set<std::string>& staying) {
  std::erase_if(files, [&](const auto& each) { return !staying.contains(each.first); });
  for (const auto& [name, file] : other.files)
    if (!staying.contains(name)) files[name] = std::make_shared<SimFile>(file->restored());
  removed_.clear();
  replaced_.clear();
}

void SimDisk::sync_names() {
  for (auto& [name, file] : files) file->is_named_durably = true;
  removed_.clear();
  replaced_.clear();
}

void SimDisk::lose_power() {
  processes_died();
  for (auto& [name, file] : std::exchange(removed_, {})) {
    if (random_.below(2) == 0) files.try_emplace(name, file);
  }
  for (auto& [name, file] : std::exchange(replaced_, {})) {
    if (random_.below(2) == 0) continue;
    if (file == nullptr) {
      files.erase(name);
    } else {
      files[name] = file;
    }
  }
  for (auto file = files.begin(); file != files.end();) {
    if (!file->second->is_named_durably && random_.below(2) == 0) {
      file = files.erase(file);
      continue;
    }
    file->second->lose_power(random_);
    file->second->is_named_durably = true;
    ++file;
  }
}

std::unique_ptr<SimDisk> SimDisk::copy(std::uint64_t seed) const {
  auto copy = std::make_unique<SimDisk>(seed);
  for (const auto& [name, file] : files)
    copy->files.emplace(name, std::make_shared<SimFile>(file->copy()));
  for (const auto& [name, file] : removed_)
    copy->removed_.emplace(name, std::make_shared<SimFile>(file->copy()));
  for (const auto& [name, file] : replaced_)
    copy->replaced_.emplace(name, file ? std::make_shared<SimFile>(file->copy()) : nullptr);
  return copy;
}

std::vector<const Bytes*> SimDisk::contents() const {
  std::vector<const Bytes*> all;
  for (const auto& [name, file] : files) all.push_back(&file->bytes());
  return all;
}

bool SimDisk::count_io() {
  if (is_dead()) return false;
  ++io_calls;
  if (faults.probe_after > 0 && --faults.probe_after == 0) {
    faults.probe_after = -1;
    probes.push_back(copy(random_.next()));
  }
  if (faults.dies_after > 0) --faults.dies_after;
  return !is_dead();
}

}  // namespace chapterd::sim

/// The Lua scripts by which the store decides; each call is atomic.
///
/// All times are the store's, in whole microseconds: a replica's clock is used nowhere. Numbers in Lua are doubles, exact
/// below 2^53 (``StoreTime``), and are written with `%.0f` because `tostring` would round them.
///
/// A hash has one field for each replica, with an expiry of its own; a key's expiry in the store, which counts in
/// milliseconds, is not earlier. A command with a lower sequence than the field's last one comes late, over an older
/// connection, and must not overwrite it.
///
/// Every reply begins with the time of the call and the time at which the store's data begins (``StoreKey/born``): a later
/// one than before means that the store has lost its data. `Tests/Simulation` models the scripts, and compares the model
/// with a Redis server.
package enum StoreScript: String, Sendable, CaseIterable {
    /// All limits of one start, or none.
    case start
    /// A start that was none: its time goes back.
    case refund
    /// The absolute counts of open streams.
    case counts
    /// Shares of rates.
    case shares
    /// Client breakers that have opened.
    case open
    /// The announcements of the breakers that are open, once more.
    case `repeat`

    package var lua: String {
        switch self {
        case .start: Self.prelude + Self.slots + Self.startBody
        case .refund: Self.prelude + Self.refundBody
        case .counts: Self.prelude + Self.slots + Self.countsBody
        case .shares: Self.prelude + Self.sharesBody
        case .open: Self.prelude + Self.breakers + Self.openBody
        case .repeat: Self.prelude + Self.breakers + Self.repeatBody
        }
    }

    private static let prelude = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local function text(number) return string.format('%.0f', number) end
        local function life(microseconds) return math.ceil(microseconds / 1000) + 1 end
        local born = tonumber(redis.call('GET', KEYS[1]) or nil)
        if not born then
          born = now
          redis.call('SET', KEYS[1], text(now))
        end

        """

    /// `others` returns the streams of the other replicas, and removes what has expired; `write` writes a count.
    private static let slots = """
        local function others(key, replica)
          local total, own = 0, -1
          local fields = redis.call('HGETALL', key)
          for i = 1, #fields, 2 do
            local count, expiry, sequence = string.match(fields[i + 1], '^(%d+):(%d+):(%d+)$')
            if tonumber(expiry) <= now then
              redis.call('HDEL', key, fields[i])
            elseif fields[i] == replica then
              own = tonumber(sequence)
            else
              total = total + count
            end
          end
          return total, own
        end
        local function write(key, replica, count, ttl, sequence)
          if count > 0 then
            redis.call('HSET', key, replica, text(count) .. ':' .. text(now + ttl) .. ':' .. text(sequence))
            redis.call('PEXPIRE', key, life(ttl))
          else
            redis.call('HDEL', key, replica)
          end
        end

        """

    /// `announce` publishes an opening (``BreakerNotice``); the channel has the name of the key.
    private static let breakers = """
        local function announce(member, stop)
          redis.call('PUBLISH', KEYS[2], text(stop) .. ' ' .. text(stop - now) .. ' ' .. member)
        end
        redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now))

        """

    /// Keeps and announces openings; the key's expiry is the latest end.
    ///
    /// `KEYS`: born, the open breakers, a sorted set by their ends. `ARGV`: the most that it may have; for each opening its
    /// name and the time until its end. Returns now, born.
    private static let openBody = """
        for i = 2, #ARGV, 2 do
          local stop = now + tonumber(ARGV[i + 1])
          local before = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[i]) or nil)
          if not before or before < stop then
            redis.call('ZADD', KEYS[2], text(stop), ARGV[i])
            announce(ARGV[i], stop)
          end
        end
        redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -tonumber(ARGV[1]) - 1)
        local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
        if last[2] then redis.call('PEXPIRE', KEYS[2], life(last[2] - now)) end
        return {now, born}
        """

    /// Announces all openings again, for a replica that has missed them.
    ///
    /// `KEYS`: born, the open breakers. Returns now, born.
    private static let repeatBody = """
        local members = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
        for i = 1, #members, 2 do announce(members[i], tonumber(members[i + 1])) end
        return {now, born}
        """

    /// Decides about a start.
    ///
    /// `KEYS`: born, one for each limit. `ARGV`: replica, sequence, TTL, grace; for each limit its kind and three numbers:
    /// `rate`, spacing, tolerance, 0; or `slots`, the count with this stream, the limit, the replica's part of it.
    /// Returns now, born, 1 or 0, the refusing limit or 0, the wait; for each limit the distance of the next start, or
    /// the streams of the others.
    private static let startBody = """
        local replica, sequence, ttl, grace = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
        local refusing, wait, found, own = 0, 0, {}, {}
        for i = 2, #KEYS do
          local a, b, c = tonumber(ARGV[i * 4 - 2]), tonumber(ARGV[i * 4 - 1]), tonumber(ARGV[i * 4])
          if ARGV[i * 4 - 3] == 'slots' then
            found[i], own[i] = others(KEYS[i], replica)
            if (found[i] + a > b or (now - born < grace and a > c)) and refusing == 0 then refusing = i - 1 end
          end
        end
        for i = 2, #KEYS do
          local a, b = tonumber(ARGV[i * 4 - 2]), tonumber(ARGV[i * 4 - 1])
          if ARGV[i * 4 - 3] == 'rate' then
            found[i] = math.max(0, (tonumber(redis.call('GET', KEYS[i]) or nil) or 0) - now)
            if found[i] - b > wait and (refusing == 0 or wait > 0) then refusing, wait = i - 1, found[i] - b end
          end
        end
        if refusing == 0 then
          for i = 2, #KEYS do
            local a = tonumber(ARGV[i * 4 - 2])
            if ARGV[i * 4 - 3] == 'rate' then
              found[i] = found[i] + a
              redis.call('SET', KEYS[i], text(now + found[i]), 'PX', life(found[i]))
            elseif own[i] < sequence then
              write(KEYS[i], replica, a, ttl, sequence)
            end
          end
        end
        local reply = {now, born, refusing == 0 and 1 or 0, refusing, wait}
        for i = 2, #KEYS do reply[i + 4] = found[i] end
        return reply
        """

    /// Takes starts back.
    ///
    /// `KEYS`: born, one for each limit. `ARGV`: the spacing of each. Returns now, born.
    private static let refundBody = """
        for i = 2, #KEYS do
          local next = tonumber(redis.call('GET', KEYS[i]) or nil)
          local left = next and next - tonumber(ARGV[i - 1]) - now or 0
          if left > 0 then
            redis.call('SET', KEYS[i], text(now + left), 'PX', life(left))
          elseif next then
            redis.call('DEL', KEYS[i])
          end
        end
        return {now, born}
        """

    /// Writes counts.
    ///
    /// `KEYS`: born, one for each count. `ARGV`: replica, sequence, TTL, the counts. Returns now, born, the streams of the
    /// others for each key.
    private static let countsBody = """
        local replica, sequence, ttl = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
        local reply = {now, born}
        for i = 2, #KEYS do
          local total, own = others(KEYS[i], replica)
          if own < sequence then write(KEYS[i], replica, tonumber(ARGV[i + 2]), ttl, sequence) end
          reply[i + 1] = total
        end
        return reply
        """

    /// Divides rates.
    ///
    /// `KEYS`: born, one for each share. `ARGV`: replica, sequence, lease; for each share its limit, what is held, the
    /// demand, the credit that is returned. Returns now, born, 1 if the store is young; for each key the share that may be
    /// applied, and the credit that is granted.
    ///
    /// `level` is the fair share: those who want less get what they want, the others equal parts of the rest.
    ///
    /// `credit` is a token bucket of the rate that is not leased: the integral of it since `since`, at most what one second
    /// of it brings, or one record. A key that does not exist has been filling since the store was young, and a key expires
    /// when it would be full (`span`). A replica that has applied more than what is recorded here, as it does without the
    /// store, has used the credit.
    private static let sharesBody = """
        local replica, sequence, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
        local young = now - born < lease
        local reply = {now, born, young and 1 or 0}
        local function second(rate) return math.max(1000000, rate) end
        local function brought(rate, from, to) return rate * math.max(0, to - from) / 1000000 end
        for i = 2, #KEYS do
          local limit, held = tonumber(ARGV[i * 4 - 4]), tonumber(ARGV[i * 4 - 3])
          local demand, unused = tonumber(ARGV[i * 4 - 2]), tonumber(ARGV[i * 4 - 1])
          local own, leased, free, others, demands = -1, 0, limit, {}, {demand}
          local span = lease + math.ceil(second(limit) / limit * 1000000)
          local credit, since = string.match(redis.call('HGET', KEYS[i], 'credit') or '', '^(%d+):(%d+)$')
          since = math.max(tonumber(since or 0), born + lease, now - span)
          credit = tonumber(credit or 0) + math.floor(brought(limit, since, now))
          local fields = redis.call('HGETALL', KEYS[i])
          for j = 1, #fields, 2 do
            local share, wanted, expiry, last = string.match(fields[j + 1], '^(%d+):(%d+):(%d+):(%d+)$')
            if share then
              credit = credit - math.ceil(brought(share, since, math.min(expiry, now)))
              if tonumber(expiry) <= now then
                redis.call('HDEL', KEYS[i], fields[j])
              elseif fields[j] == replica then
                own, leased = tonumber(last), tonumber(share)
              else
                free = free - share
                others[#others + 1] = {tonumber(share), tonumber(wanted)}
                demands[#demands + 1] = tonumber(wanted)
              end
            end
          end
          table.sort(demands)
          local left, level = limit, limit
          for j = 1, #demands do
            local fair = math.floor(left / (#demands - j + 1))
            if demands[j] > fair then
              level = fair
              break
            end
            left = left - demands[j]
          end
          local rest = limit
          for j = 1, #others do rest = rest - math.max(others[j][1], math.min(others[j][2], level)) end
          local kept = math.max(0, math.min(held, free))
          local share = demand == 0 and 0 or young and kept or math.max(0, rest)
          local granted = 0
          credit = (young or held > leased) and 0 or math.max(0, math.min(credit, second(limit)))
          if own < sequence then
            leased = demand == 0 and kept or math.max(share, kept)
            credit = credit + unused
            if demand >= limit and share > 0 and not young then granted = math.min(credit, second(share)) end
            if demand == 0 and kept == 0 then
              redis.call('HDEL', KEYS[i], replica)
            else
              local value = text(leased) .. ':' .. text(demand) .. ':' .. text(now + lease)
              redis.call('HSET', KEYS[i], replica, value .. ':' .. text(sequence))
            end
          end
          credit = math.min(credit - granted, second(free - leased))
          redis.call('HSET', KEYS[i], 'credit', text(credit) .. ':' .. text(now))
          redis.call('PEXPIRE', KEYS[i], life(span))
          reply[i * 2], reply[i * 2 + 1] = share, granted
        end
        return reply
        """
}

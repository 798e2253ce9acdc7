"""The script by which Redis carries out writes: each once, in order, together with the note that it was done."""

MARK_DAYS = 30
"""A writer's mark is kept this long after its latest write, so a write that waits longer might happen twice."""

PARTS = 5
"""Arguments per write: number, kind, text, time to live in milliseconds (empty: for ever), extra."""

# KEYS: the writer's mark, then one key per write. Returns one answer per write; the first error, if any, is the last
# answer, and what follows it was not done. A merge comes as its outcome and the text that it expects before it; where
# one of several finds another text, nothing is done and there is no answer.
APPLY = f"""
local function ok(answer)
  if type(answer) == 'table' and answer.ok then return 1 end
  return answer
end

local function put(key, text, ttl)
  if ttl == '' then return ok(redis.pcall('SET', key, text)) end
  return ok(redis.pcall('SET', key, text, 'PX', ttl))
end

local carry_out = {{
  put = put,
  delete = function(key) return redis.pcall('DEL', key) end,
  drop = function(key) return redis.pcall('DEL', key) end,
  append = function(key, text) return redis.pcall('RPUSH', key, text) end,
  add = function(key, text, ttl)
    local sum = redis.pcall('INCRBY', key, text)
    if type(sum) == 'number' and ttl ~= '' then redis.call('PEXPIRE', key, ttl) end
    return sum
  end,
  compare_and_set = function(key, text, ttl, expected)
    local present = redis.pcall('GET', key)
    if type(present) == 'table' then return present end
    if (present or '') ~= expected then return false end
    return put(key, text, ttl)
  end,
}}

-- As `put`, but the value keeps the time that it has left where that is longer.
local function put_for_longer(key, text, ttl)
  local left = redis.call('PTTL', key)
  if left == -1 then ttl = '' end
  if ttl ~= '' and left > tonumber(ttl) then ttl = tostring(left) end
  return put(key, text, ttl)
end

carry_out.merge = put_for_longer

local mark = KEYS[1]
local noted = redis.call('HMGET', mark, 'number', 'answer')
local last, answer_of_last = tonumber(noted[1] or 0), tonumber(noted[2] or 0)
local answers = {{}}

local present = {{}}
for i = 2, #KEYS do
  local at, key = (i - 2) * {PARTS}, KEYS[i]
  if ARGV[at + 2] == 'merge' and tonumber(ARGV[at + 1]) > last then
    local text = present[key] or redis.pcall('GET', key)
    if type(text) == 'table' then return {{text}} end
    if (text or '') ~= ARGV[at + 5] then return {{}} end
    present[key] = ARGV[at + 3]
  end
end

for i = 2, #KEYS do
  local at = (i - 2) * {PARTS}
  local number = tonumber(ARGV[at + 1])
  local answer
  if number > last then
    answer = carry_out[ARGV[at + 2]](KEYS[i], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
    if type(answer) == 'table' then
      answers[#answers + 1] = answer
      break
    end
    if answer then  -- a comparison that failed changed nothing and may be made again
      redis.call('HSET', mark, 'number', number, 'answer', answer)
      last, answer_of_last = number, answer
    end
  elseif number == last then
    answer = answer_of_last
  else
    answer = 1  -- done long ago: nobody waits for the answer
  end
  answers[#answers + 1] = answer or 0
end
redis.call('PEXPIRE', mark, {MARK_DAYS * 24 * 3600 * 1000})
return answers
"""

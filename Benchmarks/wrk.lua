-- A steady load: each connection pauses between its requests, and the figures are printed as one line for load.py.

local pause = 16

function init(arguments)
    pause = tonumber(arguments[1])
end

-- Milliseconds, spread so that connections do not fall into step.
function delay()
    return math.random(0, 2 * pause)
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "figures requests=%d connect=%d read=%d write=%d timeout=%d status=%d p50=%d p99=%d max=%d\n",
        summary.requests, errors.connect, errors.read, errors.write, errors.timeout, errors.status,
        latency:percentile(50), latency:percentile(99), latency.max))
end

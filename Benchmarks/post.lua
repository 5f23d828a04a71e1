-- Sends the body that follows `--`, and ends with a line that dev/bench reads. After `--`: the body and its media type; where
-- that is bytes, the body is a number of them.
wrk.method = "POST"

function init(arguments)
	wrk.headers["Content-Type"] = arguments[2]
	wrk.body = arguments[2] == "application/octet-stream" and string.rep("x", tonumber(arguments[1])) or arguments[1]
end

function done(summary, latency, requests)
	local errors = summary.errors
	print(string.format(
		'RESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failures": %d}',
		summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

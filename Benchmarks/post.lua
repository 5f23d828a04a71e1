-- Sends the JSON body that follows `--`, and ends with a line that dev/bench reads.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

function init(arguments)
	wrk.body = arguments[1]
end

function done(summary, latency, requests)
	local errors = summary.errors
	print(string.format(
		'RESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failures": %d}',
		summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
		errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

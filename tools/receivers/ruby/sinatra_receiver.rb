# Sinatra, with the signature computed by Ruby's standard library.
require "base64"
require "json"
require "openssl"
require "sinatra"

set :server, :webrick
set :bind, "127.0.0.1"
set :port, Integer(ENV.fetch("PORT"))

KEY = Base64.strict_decode64(ENV.fetch("EXAMHOOK_SECRET").delete_prefix("whsec_"))
SEEN = {}
$stdout.sync = true

post "/" do
  id, at = request.env.values_at("HTTP_WEBHOOK_ID", "HTTP_WEBHOOK_TIMESTAMP")
  body = request.body.read
  digest = OpenSSL::HMAC.digest("SHA256", KEY, "#{id}.#{at}.#{body}")
  expected = "v1,#{Base64.strict_encode64(digest)}"
  signatures = request.env.fetch("HTTP_WEBHOOK_SIGNATURE", "").split
  halt 400 unless signatures.any? { |each| Rack::Utils.secure_compare(each, expected) }
  halt 400 if (Time.now.to_i - at.to_i).abs > 300
  event = JSON.parse(body)
  puts "#{event["type"]} #{event["id"]}" unless SEEN.key?(id)
  SEEN[id] = true
  204
end

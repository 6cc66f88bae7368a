<?php
// Receives webhooks with PHP. Run it with: php -S 127.0.0.1:8200 receiver.php
$body = file_get_contents('php://input'); // the bytes as they came
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$at = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
$key = base64_decode(preg_replace('/^whsec_/', '', getenv('EXAMHOOK_SECRET')), true);
$expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$at.$body", $key, true));
$signatures = explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '');
$genuine = array_filter($signatures, fn ($signature) => hash_equals($expected, $signature));
if (!$key || !$genuine || abs(time() - (int) $at) > 300) {
    http_response_code(400);
    exit;
}
$seen = sys_get_temp_dir() . '/examhook-' . hash('sha256', $id); // keep these ids in your database
if (!file_exists($seen)) {
    $event = json_decode($body, true);
    file_put_contents('php://stdout', "{$event['type']} {$event['id']}\n"); // your work, in less than 15 seconds
    touch($seen);
}
http_response_code(204);

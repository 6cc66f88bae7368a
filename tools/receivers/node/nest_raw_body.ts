// NestJS's option `rawBody`, as in its documentation.
import "reflect-metadata";
import { BadRequestException, Controller, HttpCode, Module, Post, type RawBodyRequest, Req } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import type { Request } from "express";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.EXAMHOOK_SECRET!);
const seen = new Set<string>();

@Controller()
class WebhookController {
  @Post()
  @HttpCode(204)
  receive(@Req() request: RawBodyRequest<Request>) {
    try {
      webhook.verify(request.rawBody!, request.headers as Record<string, string>);
    } catch {
      throw new BadRequestException();
    }
    const id = request.get("webhook-id")!;
    if (!seen.has(id)) console.log(request.body.type, request.body.id);
    seen.add(id);
  }
}

@Module({ controllers: [WebhookController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false, rawBody: true });
await app.listen(Number(process.env.PORT), "127.0.0.1");

// NestJS's @Body(), as in its documentation.
import "reflect-metadata";
import { Body, Controller, Headers, HttpCode, Module, Post } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

const seen = new Set<string>();

@Controller()
class WebhookController {
  @Post()
  @HttpCode(204)
  receive(@Body() event: { type: string; id: string }, @Headers("webhook-id") id: string) {
    const { type } = event;
    if (!seen.has(id)) console.log(type, event.id);
    seen.add(id);
  }
}

@Module({ controllers: [WebhookController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(Number(process.env.PORT), "127.0.0.1");
